import { cidParts, formatCid, identityCode, parseCid, rawCodec, CidError, type Cid } from '@openregistry/dag'
import type { StorageKey } from '@openregistry/core'
import type { ObjectDag } from './object-dag.ts'

/** Text and bytes that fit into the longest name that Kubo takes for a pin, 255 bytes. */
const entryForm = /^(baf[a-z2-7]+) (baf[a-z2-7]+) (\d{1,16})$/

const keyForm = /^[0-9a-f]{32}\/[0-9a-f]{32}$/

/** What is found in the index: objects by their keys, and layouts by the SHA-256 of their roots. */
export type ObjectName = StorageKey | `layouts/${string}`

/**
 * The index of a store: for each object a pin of a CID that contains nothing but its key, so that anybody who knows the key
 * knows the CID. It names no stored block (its multihash is "identity", the bytes themselves), and takes no space but that of
 * the pin, which carries the rest: see {@link formatEntry}.
 */
export class ObjectIndex {
  readonly #prefix: string

  /** @param name of the registry, since several may use one node. */
  constructor(name: string) {
    this.#prefix = `${name}/`
  }

  /** The CID under which an object is found. */
  cidOf(name: ObjectName): Cid {
    return this.cidOfText(name)
  }

  /** The CID for something of ours that is no object. */
  cidOfText(text: string): Cid {
    const digest = new TextEncoder().encode(`${this.#prefix}${text}`)
    return formatCid({ version: 1, codec: rawCodec, hash: identityCode, digest })
  }

  /** The key of an object of this registry, or null when the CID is for something else. */
  keyOf(text: string): StorageKey | null {
    const parts = partsOf(text)
    if (parts?.codec !== rawCodec || parts.hash !== identityCode) return null
    const digest = new TextDecoder().decode(parts.digest)
    if (!digest.startsWith(this.#prefix)) return null
    const key = digest.slice(this.#prefix.length)
    return keyForm.test(key) ? (key as StorageKey) : null
  }
}

function partsOf(text: string): ReturnType<typeof cidParts> | null {
  try {
    return cidParts(parseCid(text))
  } catch (error) {
    // Pins of others may be of any kind.
    if (error instanceof CidError) return null
    throw error
  }
}

/** What is remembered of an object: `<pin> <file> <size>`. */
export function formatEntry({ pin, file, size }: ObjectDag): string {
  return `${pin} ${file} ${size}`
}

/** What {@link formatEntry} wrote, or null when it is something else. */
export function parseEntry(text: string): ObjectDag | null {
  const [, pin, file, size] = entryForm.exec(text) ?? []
  if (pin === undefined || file === undefined || size === undefined) return null
  return { pin: pin as Cid, file: file as Cid, size: Number(size) }
}
