import { cidParts, parseCid } from '@openregistry/dag'
import type { KuboNode } from '@openregistry/testkit'
import type { BlobPlace } from './blob-place.ts'

/** What a service has pinned. */
export interface Pinned {
  /** Pins of CIDs that may be entries of the index, and the text that is kept beside each. */
  entries: readonly (readonly [cid: string, text: string])[]
  /** Pins that hold something. */
  held: readonly string[]
}

/** What every node has pinned of itself. */
const emptyDirectory = 'QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn'

/** An object as the index has it. */
interface Indexed {
  pin: string
  file: string
}

/**
 * Objects that are pinned, by the entries of the index, and layouts as `layouts/<SHA-256 of the root>`; pins that hold something
 * and belong to no entry are among the keys, too.
 * @param node that has their bytes.
 */
export function pinnedPlace(node: KuboNode, pinned: () => Promise<Pinned>): BlobPlace {
  return {
    keys: async () => {
      const { entries, held } = await pinned()
      const objects = objectsOf(entries)
      const known = new Set([emptyDirectory, ...[...objects.values()].map(({ pin }) => pin)])
      return [...objects.keys(), ...held.filter((pin) => !known.has(pin)).map((pin) => `of the pin ${pin}`)]
    },
    open: async (key) => {
      const file = objectsOf((await pinned()).entries).get(key)?.file
      if (file === undefined) return null
      const answer = await fetch(`${node.gatewayUrl}/ipfs/${file}`, {
        headers: { 'cache-control': 'only-if-cached' },
      })
      return answer.ok ? answer.body : null
    },
  }
}

/** Whether a CID contains what it names, as entries do. */
export function isEntry(cid: string): boolean {
  return textOf(cid).startsWith('openregistry/')
}

/** Entries of the index: a pin of a CID that contains the key, whose text says what it leads to. */
function objectsOf(entries: Pinned['entries']): Map<string, Indexed> {
  const objects = new Map<string, Indexed>()
  for (const [cid, text] of entries) {
    const [, key] =
      /^openregistry\/([0-9a-f]{32}\/[0-9a-f]{32}|layouts\/[0-9a-f]{64})$/.exec(textOf(cid)) ?? []
    const [pin = '', file = ''] = text.split(' ')
    if (key !== undefined) objects.set(key, { pin, file })
  }
  return objects
}

/** The text that an identity CID is. */
function textOf(cid: string): string {
  return new TextDecoder().decode(cidParts(parseCid(cid)).digest)
}
