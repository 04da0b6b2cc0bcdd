import {
  carFrameHead,
  carHeader,
  cidParts,
  encodeCid,
  rawCid,
  rawCodec,
  sha256Code,
  unixfsDirectory,
  type Cid,
  type CidParts,
} from '@openregistry/dag'
import type { LayoutBlocks } from '@openregistry/core'
import { sha256, type CarOrder, type WholeObject } from './object-dag.ts'

type Block = Readonly<{ cid: Cid; bytes: Uint8Array }>

/**
 * Makes an object of the blocks of a layout that no other object has: a directory that names each of them as if it were a file,
 * whatever it is. Services keep and find blocks by their hash, so the layout is whole as long as its large blobs are there,
 * which have pins of their own. To pin the layout itself would have the service read all of them again, and would keep them
 * as long as this pin is there.
 * @param entry the CID of its entry in the index: it is in the directory that is pinned, so that registries which share a
 * node and an image have a pin each.
 */
export function layoutObject(entry: Cid, layout: LayoutBlocks): WholeObject {
  const { root, shapes } = layout
  const links = shapes.map(({ sha256: digest, size }) => ({
    name: digest.toHex(),
    cid: rawParts(digest),
    size,
  }))
  const inner = unixfsDirectory(links, sha256)
  const outer = unixfsDirectory([{ name: entry, cid: inner.cid, size: inner.size }], sha256)
  const nodes = [...outer.blocks, ...inner.blocks]
  const size = shapes.reduce((sum, shape) => sum + shape.size, 0)
  return {
    file: rawCid(root),
    pin: outer.cid,
    size,
    car: (order) => carOf({ nodes, layout, pin: outer.cid }, order),
  }
}

async function* carOf(
  { pin, nodes, layout }: { pin: Cid; nodes: readonly Block[]; layout: LayoutBlocks },
  order: CarOrder = 'nodes first',
): AsyncGenerator<Uint8Array, void, undefined> {
  yield carHeader([pin])
  if (order === 'nodes first') yield* framesOf(nodes)
  let index = 0
  for await (const bytes of layout.read()) {
    yield carFrameHead(encodeCid(rawParts(layout.shapes[index++]!.sha256)), bytes.length)
    yield bytes
  }
  if (order === 'leaves first') yield* framesOf(nodes)
}

function* framesOf(blocks: readonly Block[]): Generator<Uint8Array, void, undefined> {
  for (const { cid, bytes } of blocks) {
    yield carFrameHead(encodeCid(cidParts(cid)), bytes.length)
    yield bytes
  }
}

function rawParts(digest: Uint8Array): CidParts {
  return { version: 1, codec: rawCodec, hash: sha256Code, digest }
}
