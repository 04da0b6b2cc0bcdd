import { createPublicKey, verify } from 'node:crypto'
import { blake2b } from '@noble/hashes/blake2.js'

/** An entry as clients of a portal send it, in JSON. */
interface PutEntry {
  publickey: { algorithm: string; key: number[] }
  datakey: string
  revision: number
  data: number[]
  signature: number[]
}

/** An entry as a portal answers it. */
export interface AnsweredEntry {
  data: string
  revision: number
  signature: string
}

/** What stands before the 32 bytes of an Ed25519 key in SubjectPublicKeyInfo (RFC 8410, §4). */
const spkiHead = Buffer.from('302a300506032b6570032100', 'hex')

/** Bytes that an entry has room for. */
const mostData = 113

/** The registry behind a portal: hosts keep of each entry the one with the largest number, if its signature is good. */
export class SkynetRegistry {
  readonly #entries = new Map<string, AnsweredEntry & { work: Buffer }>()

  get(publicKey: string, dataKey: string): AnsweredEntry | null {
    const found = this.#entries.get(`${publicKey} ${dataKey}`)
    if (found === undefined) return null
    const { data, revision, signature } = found
    return { data, revision, signature }
  }

  /** @returns why not, as skyd says it; null when it is kept. */
  put({ publickey, datakey, revision, data, signature }: PutEntry): string | null {
    if (publickey.algorithm !== 'ed25519' || publickey.key.length !== 32) return 'unsupported public key'
    if (data.length > mostData) return 'registry entry data is too big'
    const hash = hashOf(Buffer.from(datakey, 'hex'), Uint8Array.from(data), revision)
    const spki = Buffer.concat([spkiHead, Uint8Array.from(publickey.key)])
    const key = createPublicKey({ key: spki, format: 'der', type: 'spki' })
    if (!verify(null, hash, key, Uint8Array.from(signature))) return 'invalid signature'
    const name = `ed25519:${Buffer.from(publickey.key).toString('hex')} ${datakey}`
    const before = this.#entries.get(name)
    if (before !== undefined && revision < before.revision) return 'provided revision number is invalid'
    // Of equal numbers the smaller hash is taken for more work.
    if (before?.revision === revision && Buffer.compare(hash, before.work) >= 0) {
      return 'provided revision number is already registered'
    }
    const hex = (bytes: number[]): string => Buffer.from(bytes).toString('hex')
    this.#entries.set(name, { data: hex(data), revision, signature: hex(signature), work: hash })
    return null
  }
}

function hashOf(dataKey: Uint8Array, data: Uint8Array, revision: number): Buffer {
  const hash = blake2b.create({ dkLen: 32 }).update(dataKey)
  hash.update(uint64(data.length)).update(data).update(uint64(revision))
  return Buffer.from(hash.digest())
}

function uint64(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true)
  return bytes
}
