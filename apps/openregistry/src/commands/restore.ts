import { Command, Option } from 'commander'
import { CommandError, exitCodes } from '../exit-codes.ts'
import type { RestoreCommandOptions } from '../restore/restore.ts'
import { examples, jsonOption, several } from './shared-options.ts'

type RestoreOptions = RestoreCommandOptions & { giveUp?: boolean }

/** `openregistry restore` */
export function restoreCommand(): Command {
  return new Command('restore')
    .description('rebuild a registry from a snapshot, in an empty database; stopped anywhere, it goes on')
    .argument(
      '[snapshot...]',
      'the file of a CAR, the CID of a snapshot, or the name in IPNS that leads to it; of a CAR that goes on from others, these too, in any order',
    )
    .option(
      '--key <name>',
      'trust snapshots of this key alone, as "backup --ipfs" said it (k51…); without it that of the name, else of the keys file',
    )
    .addOption(
      new Option(
        '--from <address>',
        'ask this IPFS gateway for what is missing, or this peer: /ip4/192.0.2.1/tcp/4001/p2p/12D3Koo… (may be repeated)',
      )
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
    .option(
      '--give-up',
      'end a restore that cannot go on: what it has brought back is the registry (no snapshot)',
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples(
        'openregistry restore /backups/monday.car --from https://ipfs.example.org',
        'openregistry restore /backups/monday.car /backups/tuesday.car',
        'openregistry restore k51qzi5uqu5d… --kubo http://127.0.0.1:5001',
        'openregistry restore bafyrei… --key k51qzi5uqu5d… --from https://ipfs.example.org',
        'openregistry restore bafyrei… --from /ip4/127.0.0.1/tcp/4001/p2p/12D3Koo…',
      ),
    )
    .action(async (snapshot: string[], options: RestoreOptions, command: Command) => {
      requireSense(snapshot, options)
      const { loadConfigOf } = await import('../load-config.ts')
      const { config } = await loadConfigOf(command)
      if (options.giveUp === true) {
        const { giveUpRestore } = await import('../restore/give-up.ts')
        return giveUpRestore(config, options)
      }
      const { restore } = await import('../restore/restore.ts')
      await restore(config, snapshot, options)
    })
}

function requireSense(snapshot: readonly string[], options: RestoreOptions): void {
  const usage = (message: string) => new CommandError(message, { exitCode: exitCodes.usage })
  const { giveUp = false, from, kubo, key, acceptMissing } = options
  if (!giveUp && snapshot.length === 0) throw usage('name a snapshot: a file, a CID, or a name in IPNS.')
  const given = key !== undefined || acceptMissing !== undefined
  if (giveUp && (given || [snapshot, from, kubo].some(({ length }) => length > 0))) {
    throw usage('--give-up brings nothing back any more: leave out all but the configuration.')
  }
}
