import { Command, Option } from 'commander'
import { CommandError, exitCodes } from '../exit-codes.ts'
import type { GcCommand } from '../gc/gc.ts'
import { examples, jsonOption } from './shared-options.ts'

/** As it stands on the command line. */
interface WrittenOptions extends Omit<GcCommand, 'grace'> {
  grace?: string
}

/** `openregistry gc`. */
export function gcCommand(): Command {
  return new Command('gc')
    .description('give back the space of what nobody needs any more, beside a live server if need be')
    .option('-n, --dry-run', 'say what would go, why, and how many bytes come back; change nothing')
    .option(
      '--grace <duration>',
      'how long deleted images stay restorable, such as 12h; 0: not at all (default: gc.grace)',
    )
    .addOption(
      new Option(
        '--purge <digest>',
        'take a blob or manifest (a leaked secret) from every repository now, with all images that need it',
      ).conflicts('grace'),
    )
    .option('-y, --yes', 'purge without asking (needed where there is no terminal)')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nServers do the same by themselves, all the time. What is pushed and not yet used stays for gc.lease.' +
        examples(
          'openregistry gc --dry-run',
          'openregistry gc',
          'openregistry gc --grace 0',
          'openregistry gc --purge sha256:… --dry-run',
        ),
    )
    .action(async ({ grace, ...options }: WrittenOptions, command: Command) => {
      const { loadConfigOf } = await import('../load-config.ts')
      const { gc } = await import('../gc/gc.ts')
      const { config } = await loadConfigOf(command)
      await gc(config, grace === undefined ? options : { ...options, grace: await read(grace) })
    })
}

async function read(text: string): Promise<number> {
  const { parseDuration } = await import('@openregistry/server/config')
  const grace = parseDuration(text)
  if (grace !== null) return grace
  throw new CommandError('--grace takes a duration, such as 0, 12h or 7d.', { exitCode: exitCodes.usage })
}
