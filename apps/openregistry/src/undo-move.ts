import type { Config } from '@openregistry/server/config'
import { databaseFile } from './data-files.ts'
import { CommandError, exitCodes } from './exit-codes.ts'
import { requireRegistry } from './require-registry.ts'
import { confirm, printJson, say } from './terminal/print.ts'

/**
 * `openregistry migrate --undo-move`: lets the embedded registry be used again that was moved into PostgreSQL. Its blob
 * folder stays the other database's until `openregistry adopt` gives it back.
 * @throws CommandError when there is none, it was not moved, or nobody confirms; RegistryError.
 */
export async function undoMove(
  config: Config,
  { yes = false, json = false }: { yes?: boolean; json?: boolean },
): Promise<void> {
  if (config.db.kind !== 'sqlite') {
    throw new CommandError(
      'the configuration names PostgreSQL; --undo-move is about an embedded registry. Leave db.host out.',
      { exitCode: exitCodes.usage },
    )
  }
  await requireRegistry(config)
  const file = databaseFile(config.data_dir)
  const { readMove, undoMove: undo } = await import('@openregistry/metadata')
  const place = readMove(file)
  if (place === null) throw new CommandError(`${file} was not moved; there is nothing to undo.`)
  await confirm(`Use ${file} again? What was pushed to ${place} since it was moved is not in it.`, { yes })
  undo(file)
  if (json) return printJson({ database: file, movedTo: place })
  say(`${file} can be used again. The blobs belong to ${place} until you give them back:`)
  say('  openregistry adopt')
  say('Servers on the other database refuse them from then on; stop those before.')
}
