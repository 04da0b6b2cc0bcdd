import type { Config } from '@openregistry/server/config'
import { CommandError } from '../exit-codes.ts'
import { openMetadata } from '../open-metadata.ts'
import { requireRegistry } from '../require-registry.ts'
import { printJson, say } from '../terminal/print.ts'

/**
 * `openregistry restore --give-up`: ends a restore that cannot go on. What it has brought back is the registry.
 * @throws CommandError when none has begun, RegistryError when one runs.
 */
export async function giveUpRestore(config: Config, { json = false }: { json?: boolean }): Promise<void> {
  await requireRegistry(config)
  // As a server opens it, so that on SQLite a restore that still runs is seen.
  await using metadata = await openMetadata(config, { serving: true, autoMigrate: false })
  const restore = await metadata.findUnfinishedRestore()
  if (restore === null) throw new CommandError('there is no restore that has not come to its end.')
  await metadata.endRestore(restore.snapshot)
  if (json) return printJson({ snapshot: restore.snapshot, ended: true })
  say(
    `The restore of the snapshot ${restore.snapshot} is over; what it has brought back is the registry now.`,
  )
}
