import { base36 } from 'multiformats/bases/base36'
import { base58btc } from 'multiformats/bases/base58'
import { cidParts, decodeCid, encodeCid, identityCode, sameBytes, type CidParts } from '../cid-parts.ts'
import { dagPbCodec, parseCid, sha256Code } from '../cid.ts'
import { publicKeyBytes, publicKeyHead } from '../peer-id.ts'
import { IpnsError } from './ipns-error.ts'

/** The codec of CIDs that name a public key, by the multicodec table. */
export const libp2pKeyCodec = 0x72

/**
 * A name of IPNS: the public key itself as a CID in base36, as the specification wants it (IPNS Record and Protocol, "IPNS
 * Name").
 * @param ed25519 the public key, 32 bytes.
 */
export function ipnsName(ed25519: Uint8Array): string {
  const digest = publicKeyBytes(ed25519)
  return base36.encode(encodeCid({ version: 1, codec: libp2pKeyCodec, hash: identityCode, digest }))
}

/**
 * Reads a name: a CID in any base, or a peer ID as libp2p writes it (`12D3Koo…`, `Qm…`).
 * @returns the Ed25519 key in it, 32 bytes; null for keys of other kinds, of which a name has the hash.
 * @throws IpnsError when it is none, a name of DNS for example.
 */
export function parseIpnsName(text: string): Uint8Array | null {
  const { codec, hash, digest } = partsOf(text)
  if (codec === libp2pKeyCodec && hash === sha256Code && digest.length === 32) return null
  if (codec !== libp2pKeyCodec || hash !== identityCode) throw noName()
  const head = publicKeyHead
  const isEd25519 = digest.length === head.length + 32 && sameBytes(digest.subarray(0, head.length), head)
  return isEd25519 ? digest.slice(head.length) : null
}

function partsOf(text: string): CidParts {
  try {
    // The identity multihash of a key in base58btc, without a prefix.
    if (text.startsWith('1')) {
      const bytes = Uint8Array.from([1, libp2pKeyCodec, ...base58btc.baseDecode(text.slice(0, 100))])
      const { cid, size } = decodeCid(bytes)
      if (text.length > 100 || size !== bytes.length) throw noName()
      return cid
    }
    const parts = cidParts(parseCid(text))
    const isPeerId = text.startsWith('Qm') && parts.codec === dagPbCodec
    return isPeerId ? { ...parts, codec: libp2pKeyCodec } : parts
  } catch (cause) {
    if (cause instanceof IpnsError) throw cause
    // Those of the bases have no class of their own.
    if (cause instanceof Error) throw noName(cause)
    throw cause
  }
}

function noName(cause?: Error): IpnsError {
  return new IpnsError(
    'malformed',
    'Not a name of IPNS: expected a key, such as k51….',
    cause === undefined ? undefined : { cause },
  )
}

/** Whether a text names a peer: by its key, as in IPNS (libp2p, "Peer Ids and Keys"). */
export function isPeerId(text: string): boolean {
  try {
    parseIpnsName(text)
    return true
  } catch (error) {
    if (error instanceof IpnsError) return false
    throw error
  }
}
