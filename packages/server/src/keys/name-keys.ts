import { sign } from 'node:crypto'
import type { NameKeys } from '@openregistry/core'
import type { Keys } from './keys.ts'

/** The keys of the names of repositories. They are derived anew each time: that takes less than the signature. */
export function nameKeysOf(keys: Keys): NameKeys {
  const keyOf = (repositoryId: string) => keys.signingKey(`ipns ${repositoryId}`)
  return {
    publicKey: (repositoryId) => keyOf(repositoryId).publicKey,
    sign: (repositoryId, message) => sign(null, message, keyOf(repositoryId).privateKey),
  }
}
