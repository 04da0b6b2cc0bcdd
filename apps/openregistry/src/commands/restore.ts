import { Command, Option } from 'commander'
import type { RestoreCommandOptions } from '../restore/restore.ts'
import { examples, jsonOption } from './shared-options.ts'

const several = (value: string, before: string[]): string[] => [...before, value]

/** `openregistry restore` */
export function restoreCommand(): Command {
  return new Command('restore')
    .description('rebuild a registry from a snapshot, in an empty database; stopped anywhere, it goes on')
    .argument('<snapshot>', 'the file of a CAR, the CID of a snapshot, or the name in IPNS that leads to it')
    .option(
      '--key <name>',
      'trust snapshots of this key alone, as "backup --ipfs" said it (k51…); without it that of the name, else of the keys file',
    )
    .addOption(
      new Option('--from <address>', 'ask this IPFS gateway for what is missing (may be repeated)')
        .argParser(several)
        .default([], 'none'),
    )
    .addOption(
      new Option(
        '--kubo <address>',
        'ask this Kubo node by its API (may be repeated); the configured one is asked in any case',
      )
        .argParser(several)
        .default([], 'none'),
    )
    .option('--accept-missing', 'end it although some content cannot be found; later it cannot go on')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples(
        'openregistry restore /backups/monday.car --from https://ipfs.example.org',
        'openregistry restore k51qzi5uqu5d… --kubo http://127.0.0.1:5001',
        'openregistry restore bafyrei… --key k51qzi5uqu5d… --from https://ipfs.example.org',
      ),
    )
    .action(async (snapshot: string, options: RestoreCommandOptions, command: Command) => {
      const { loadConfigOf } = await import('../load-config.ts')
      const { restore } = await import('../restore/restore.ts')
      const { config } = await loadConfigOf(command)
      await restore(config, snapshot, options)
    })
}
