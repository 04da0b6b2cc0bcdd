/*
 * Nodes as IPLD calls "dag-pb", of anybody's making. Small enough to be ours: links are read one by one from the bytes, so
 * that a node of 2 MiB with 40 000 links costs its bytes and no more while a walk is under way in it (ADR 16).
 *
 *   PBNode   Links (2, repeated) in front of Data (1), or behind it; never around it
 *   PBLink   Hash (1) the bytes of a CID, Name (2), Tsize (3): in this order, none twice
 */
import { decodeCid, encodeCid, type CidParts } from './cid-parts.ts'
import { CidError } from './cid.ts'
import { NodeError } from './node-error.ts'
import { protobufFields, wireType, type ProtobufField } from './protobuf.ts'
import { varintSize, writeVarint } from './varint.ts'

/** A link of a node. */
export interface DagPbLink {
  cid: CidParts
  /** Empty where the link has none: links of files have no names. */
  name: string
  /** `Tsize`: bytes of the linked block and of all below it, as its author counted them; 0 where nobody said. */
  size: number
}

/** A node whose form was checked. */
export interface DagPbNode {
  /** The links, read anew at every iteration. */
  readonly links: Iterable<DagPbLink>
  /** What else the node says; null when it says nothing. */
  readonly data: Uint8Array | null
}

/** Links and data of a node that is to be written. */
export interface DagPbContent {
  links: readonly DagPbLink[]
  data: Uint8Array
}

// A byte order mark is part of a name like everything else.
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })
const encoder = new TextEncoder()

/**
 * Reads a node. All of it is checked; what comes back are views of the bytes.
 * @throws NodeError when it is none.
 */
export function decodeDagPb(bytes: Uint8Array): DagPbNode {
  let data: Uint8Array | null = null
  let hasLinks = false
  let linksEnded = false
  for (const field of nodeFields(bytes)) {
    if (field.number === 1) {
      if (data !== null) throw new NodeError('Not a dag-pb node: it has data twice.')
      data = field.bytes
      linksEnded = hasLinks
    } else {
      if (linksEnded) throw new NodeError('Not a dag-pb node: it has links on both sides of its data.')
      readLink(field.bytes)
      hasLinks = true
    }
  }
  return { data, links: { [Symbol.iterator]: () => readLinks(bytes) } }
}

function* nodeFields(bytes: Uint8Array): Generator<ProtobufField, void, undefined> {
  for (const field of protobufFields(bytes)) {
    if (field.wire !== wireType.bytes || (field.number !== 1 && field.number !== 2)) {
      throw new NodeError('Not a dag-pb node: it has a field that does not belong there.')
    }
    yield field
  }
}

function* readLinks(bytes: Uint8Array): Generator<DagPbLink, void, undefined> {
  for (const field of nodeFields(bytes)) if (field.number === 2) yield readLink(field.bytes)
}

function readLink(bytes: Uint8Array): DagPbLink {
  let cid: CidParts | null = null
  let name = ''
  let size = 0
  let previous = 0
  for (const field of protobufFields(bytes)) {
    const wanted = field.number === 3 ? wireType.varint : wireType.bytes
    if (field.number <= previous || field.number > 3 || field.wire !== wanted) {
      throw new NodeError('Not a dag-pb node: a link has a field that does not belong there.')
    }
    previous = field.number
    if (field.number === 1) cid = readCid(field.bytes)
    else if (field.number === 2) name = utf8.decode(field.bytes)
    else size = field.value
  }
  if (cid === null) throw new NodeError('Not a dag-pb node: a link leads nowhere.')
  return { cid, name, size }
}

function readCid(bytes: Uint8Array): CidParts {
  try {
    const { cid, size } = decodeCid(bytes)
    if (size === bytes.length) return cid
  } catch (cause) {
    if (!(cause instanceof CidError)) throw cause
  }
  throw new NodeError('Not a dag-pb node: a link leads to no CID.')
}

/** Writes a node in its canonical form, with the links in the order in which they are given. */
export function encodeDagPb({ links, data }: DagPbContent): Uint8Array {
  const encoded = links.map(encodeLink)
  const framed = (bytes: Uint8Array): number => 1 + varintSize(bytes.length) + bytes.length
  const node = new Uint8Array(encoded.reduce((sum, link) => sum + framed(link), framed(data)))
  let at = 0
  for (const link of encoded) at = writeBytes(node, at, 2, link)
  writeBytes(node, at, 1, data)
  return node
}

function encodeLink({ cid, name, size }: DagPbLink): Uint8Array {
  const hash = encodeCid(cid)
  const text = encoder.encode(name)
  const length = 3 + varintSize(hash.length) + hash.length + varintSize(text.length) + text.length
  const link = new Uint8Array(length + varintSize(size))
  let at = writeBytes(link, 0, 1, hash)
  at = writeBytes(link, at, 2, text)
  link[at] = 0x18
  writeVarint(link, at + 1, size)
  return link
}

function writeBytes(target: Uint8Array, at: number, field: number, bytes: Uint8Array): number {
  target[at] = field * 8 + wireType.bytes
  const start = writeVarint(target, at + 1, bytes.length)
  target.set(bytes, start)
  return start + bytes.length
}
