import { Command } from 'commander'
import { withClientOptions } from '../client/client-options.ts'
import type { MoveOptions } from '../client/move.ts'
import { CommandError, exitCodes } from '../exit-codes.ts'
import { examples, jsonOption } from './shared-options.ts'

/** As it stands on the command line. */
interface WrittenOptions extends Omit<MoveOptions, 'rate'> {
  rate?: string
}

/** `openregistry move`. */
export function moveCommand(): Command {
  return withClientOptions(new Command('move'))
    .description('move a repository to another storage backend, or say how its move stands')
    .argument('<repository>', 'for example me/app')
    .option('--to <backend>', 'where its content goes, such as disk; without it: how its newest move stands')
    .option('--rate <bytes>', 'bytes a second, such as 50MiB (default: as fast as possible)')
    .option('--no-wait', 'do not wait for the end; the move goes on in the background')
    .option('--cancel', 'stop the move; what was moved stays where it is')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nEvery copy is read again and compared before the old one is given up. Pulls and pushes go on meanwhile.\n' +
        'Moved to a backend that is not public, a repository has nothing in public ones any more, and may become private.' +
        examples(
          'openregistry move me/app --to disk',
          'openregistry move me/app --to s3 --rate 20MiB --no-wait',
          'openregistry move me/app',
          'openregistry move me/app --cancel',
        ),
    )
    .action(async (repository: string, { rate, ...options }: WrittenOptions) => {
      const { move } = await import('../client/move.ts')
      await move(repository, rate === undefined ? options : { ...options, rate: await read(rate) })
    })
}

async function read(text: string): Promise<number> {
  const { parseSize } = await import('@openregistry/server/config')
  const rate = parseSize(text)
  if (rate !== null) return rate
  throw new CommandError('--rate takes bytes a second, such as 50MiB.', { exitCode: exitCodes.usage })
}
