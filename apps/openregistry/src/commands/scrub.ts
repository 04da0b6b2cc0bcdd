import { Command, Option } from 'commander'
import { CommandError, exitCodes } from '../exit-codes.ts'
import type { ScrubCommand } from '../scrub/scrub.ts'
import { examples, jsonOption } from './shared-options.ts'

/** `openregistry scrub`. */
export function scrubCommand(): Command {
  return new Command('scrub')
    .description(
      'read stored content again and say what is damaged or missing, beside a live server if need be',
    )
    .option('--rate <bytes>', 'bytes a second, such as 50MiB; 0: as fast as possible (default: scrub.rate)')
    .addOption(
      new Option(
        '--all',
        'begin with everything anew, instead of going on with a pass that was stopped',
      ).conflicts(['olderThan']),
    )
    .option('--older-than <duration>', 'only what was not read for so long, such as 7d')
    .option('--repository <name>', 'only what this repository has')
    .option('--delete-surplus', 'delete objects that nothing names even if they are many')
    .option('--accept-missing', 'mark missing objects even if they are many')
    .option('--repair', 'mend what is damaged or missing from other places here that have the same content')
    .option(
      '--from <address>',
      'mend from a trustless IPFS gateway, too, such as https://ipfs.example.org, or from a peer, such as /ip4/192.0.2.1/tcp/4001/p2p/12D3Koo…; may be given several times',
      (address: string, before: readonly string[] | undefined) => [...(before ?? []), address],
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nIt ends with 1 when something is damaged or missing, or when it was stopped.' +
        examples(
          'openregistry scrub',
          'openregistry scrub --rate 0 --all',
          'openregistry scrub --repair --from https://ipfs.example.org',
          'openregistry scrub --repair --from /ip4/127.0.0.1/tcp/4001/p2p/12D3Koo…',
          'openregistry scrub --repository me/app --json',
        ),
    )
    .action(async (options: WrittenOptions, command: Command) => {
      const { loadConfigOf } = await import('../load-config.ts')
      const { scrub } = await import('../scrub/scrub.ts')
      const { config } = await loadConfigOf(command)
      await scrub(config, await read(options))
    })
}

/** As they stand on the command line. */
interface WrittenOptions extends Omit<ScrubCommand, 'rate' | 'olderThan'> {
  rate?: string
  olderThan?: string
}

async function read({ rate, olderThan, ...rest }: WrittenOptions): Promise<ScrubCommand> {
  const { parseDuration, parseSize } = await import('@openregistry/server/config')
  return {
    ...rest,
    ...(rate === undefined
      ? {}
      : { rate: parsed(parseSize(rate), '--rate takes bytes a second, such as 50MiB') }),
    ...(olderThan === undefined
      ? {}
      : { olderThan: parsed(parseDuration(olderThan), '--older-than takes a duration, such as 12h or 7d') }),
  }
}

function parsed(value: number | null, otherwise: string): number {
  if (value === null) throw wrong(`${otherwise}.`)
  return value
}

function wrong(message: string): CommandError {
  return new CommandError(message, { exitCode: exitCodes.usage })
}
