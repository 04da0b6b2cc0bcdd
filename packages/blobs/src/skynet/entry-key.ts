import {
  createHash,
  createPrivateKey,
  createPublicKey,
  hkdfSync,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto'

/** An entry of Skynet's registry, which anybody can read who knows key and name, and only whoever has the key can write. */
export interface RegistryEntry {
  /** At most 113 bytes. */
  data: Uint8Array
  /** An entry is replaced only by one with a larger number. */
  revision: number
}

/** An entry as it goes over the wire. */
export interface SignedEntry extends RegistryEntry {
  signature: Uint8Array
}

/** BLAKE2b with 32 bytes of output, which Node does not have. */
export type Blake2b256 = (bytes: Uint8Array) => Uint8Array

/** What stands before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410, §7). */
const pkcs8Head = Buffer.from('302e020100300506032b657004220420', 'hex')

/** The key with which all servers of a registry sign their entries, derived from a secret that they share. */
export class EntryKey {
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  readonly #private: KeyObject
  readonly #public: KeyObject
  readonly #blake2b: Blake2b256

  private constructor(seed: Uint8Array, blake2b: Blake2b256) {
    this.#private = createPrivateKey({
      key: Buffer.concat([pkcs8Head, seed]),
      format: 'der',
      type: 'pkcs8',
    })
    this.#public = createPublicKey(this.#private)
    this.publicKey = this.#public.export({ format: 'der', type: 'spki' }).subarray(-32)
    this.#blake2b = blake2b
  }

  /** @param secret of any length; whoever has it can write the entries. */
  static async derive(secret: string): Promise<EntryKey> {
    const { blake2b } = await import('@noble/hashes/blake2.js')
    const seed = hkdfSync('sha256', secret, '', 'openregistry skynet entries', 32)
    return new EntryKey(new Uint8Array(seed), (bytes) => blake2b(bytes, { dkLen: 32 }))
  }

  /** Signs an entry under this name. @param dataKey 32 bytes. */
  sign(dataKey: Uint8Array, entry: RegistryEntry): SignedEntry {
    return { ...entry, signature: sign(null, this.#hashOf(dataKey, entry), this.#private) }
  }

  /** Whether the entry is one of ours, under this name. */
  isOwn(dataKey: Uint8Array, { signature, ...entry }: SignedEntry): boolean {
    return verify(null, this.#hashOf(dataKey, entry), this.#public, signature)
  }

  /** What is signed: BLAKE2b of name, data and revision, each as Sia encodes it (integers are 8 bytes, the lowest first). */
  #hashOf(dataKey: Uint8Array, { data, revision }: RegistryEntry): Uint8Array {
    const length = Buffer.alloc(8)
    length.writeBigUInt64LE(BigInt(data.length))
    const number = Buffer.alloc(8)
    number.writeBigUInt64LE(BigInt(revision))
    return this.#blake2b(Buffer.concat([dataKey, length, data, number]))
  }
}

/** The name of an entry: 32 bytes that follow from a text. */
export function dataKeyOf(text: string): Uint8Array {
  return createHash('sha256').update(text).digest()
}
