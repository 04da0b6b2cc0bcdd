import { decode, encode } from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import { parseCid, type Cid } from '../cid.ts'
import { NodeError } from '../node-error.ts'

/** What DAG-CBOR can hold, links included. */
export type DagValue =
  string | number | boolean | null | Uint8Array | CID | DagValue[] | { [name: string]: DagValue }

/** The codec of DAG-CBOR, by the multicodec table. */
export const dagCborCodec = 0x71

/** A CID as a value that others see as a link. */
export function dagLink(cid: Cid): CID {
  return CID.parse(cid)
}

/** The CID of a link; null for other values. */
export function linkedCid(value: unknown): Cid | null {
  const link = CID.asCID(value)
  return link === null ? null : parseCid(link.toString())
}

/** Bytes of a value: canonical, so that equal values have equal bytes. */
export function encodeDagValue(value: DagValue): Uint8Array {
  return encode(value)
}

/** @throws NodeError when the bytes are no DAG-CBOR. */
export function decodeDagValue(bytes: Uint8Array): unknown {
  try {
    return decode(bytes)
  } catch (cause) {
    throw new NodeError('Not a node of DAG-CBOR.', { cause })
  }
}

/** A node of a sorted tree: rows, or the nodes below it, each with the key that it begins with. */
export type TreeNode =
  | { kind: 'leaf'; entries: (readonly [key: string, value: unknown])[] }
  | { kind: 'inner'; entries: (readonly [key: string, node: Cid])[] }

/** @throws NodeError when it is something else, or its keys are not in order. */
export function decodeTreeNode(bytes: Uint8Array): TreeNode {
  const { rows, nodes } = (decodeDagValue(bytes) ?? {}) as { rows?: unknown; nodes?: unknown }
  if (Array.isArray(rows) && nodes === undefined)
    return { kind: 'leaf', entries: entriesOf(rows, (value) => value) }
  if (!Array.isArray(nodes) || nodes.length === 0 || rows !== undefined) throw noNode()
  return { kind: 'inner', entries: entriesOf(nodes, requireLink) }
}

function entriesOf<T>(list: readonly unknown[], read: (value: unknown) => T): (readonly [string, T])[] {
  let before: string | null = null
  return list.map((entry) => {
    if (!Array.isArray(entry) || entry.length !== 2) throw noNode()
    const [key, value] = entry as [unknown, unknown]
    if (typeof key !== 'string' || (before !== null && key <= before)) throw noNode()
    before = key
    return [key, read(value)] as const
  })
}

function requireLink(value: unknown): Cid {
  const cid = linkedCid(value)
  if (cid === null) throw noNode()
  return cid
}

function noNode(): NodeError {
  return new NodeError('Not a node of a sorted tree.')
}
