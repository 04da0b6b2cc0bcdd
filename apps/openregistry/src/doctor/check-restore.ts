import { RegistryError } from '@openregistry/oci'
import type { Config } from '@openregistry/server/config'
import { CommandError } from '../exit-codes.ts'
import { openMetadata } from '../open-metadata.ts'
import { requireRegistry } from '../require-registry.ts'
import { describeRestore, restoreAdvice } from '../restore/require-restored.ts'
import { failed, type Finding } from './finding.ts'

/** Whether the registry is half restored, so that no server would start. Nothing is said when it is not. */
export async function checkRestore(config: Config): Promise<Finding[]> {
  try {
    await requireRegistry(config)
    await using metadata = await openMetadata(config, { serving: false, autoMigrate: false })
    const restore = await metadata.findUnfinishedRestore()
    return restore === null ? [] : [failed('restore', describeRestore(restore), restoreAdvice(restore))]
  } catch (error) {
    // There is none yet, or another finding says why it cannot be looked into.
    if (error instanceof RegistryError || error instanceof CommandError) return []
    throw error
  }
}
