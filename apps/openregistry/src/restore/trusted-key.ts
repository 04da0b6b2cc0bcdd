import { createPublicKey, verify } from 'node:crypto'
import { ipnsName, parseIpnsName, IpnsError } from '@openregistry/dag'
import type { Keys } from '@openregistry/server/keys'
import { snapshotPurpose } from '@openregistry/server/keys'
import { CommandError, exitCodes } from '../exit-codes.ts'

/** The only key that is believed. */
export interface TrustedKey {
  publicKey: Uint8Array
  /** As it is shown. */
  name: string
  verify(message: Uint8Array, signature: Uint8Array): boolean
}

/**
 * Whom to believe: whoever was named, else the owner of the name that leads to the snapshot, else this registry.
 * @throws CommandError when nobody is left.
 */
export function trustedKey(
  { named, followed }: { named: string | undefined; followed: string | null },
  keys: Keys | null,
): TrustedKey {
  const text = named ?? followed
  if (text !== null) return keyOf(requireKey(text))
  if (keys !== null) return keyOf(keys.signingKey(snapshotPurpose).publicKey)
  throw new CommandError(
    'there is no keys file, so nobody is trusted. Put that of the old registry in its place (keys.file), or name the key of the snapshot with --key.',
    { exitCode: exitCodes.usage },
  )
}

function keyOf(publicKey: Uint8Array): TrustedKey {
  const x = Buffer.from(publicKey).toString('base64url')
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  return {
    publicKey,
    name: ipnsName(publicKey),
    verify: (message, signature) => verify(null, message, key, signature),
  }
}

function requireKey(text: string): Uint8Array {
  try {
    const key = parseIpnsName(text)
    if (key !== null) return key
  } catch (cause) {
    if (!(cause instanceof IpnsError)) throw cause
  }
  throw new CommandError(`${text} is no key of a snapshot; "openregistry backup --ipfs" says it (k51…).`, {
    exitCode: exitCodes.usage,
  })
}
