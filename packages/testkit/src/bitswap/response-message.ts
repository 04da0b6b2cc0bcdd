import { bytesField, fieldsOf, numberField, unframed } from './wire-format.ts'

/** What a message of a server says. */
export interface ReadResponse {
  /** Blocks by the hexadecimal form of their prefixes and hashes as they arrived. */
  blocks: { prefix: string; data: Buffer }[]
  has: string[]
  hasNot: string[]
}

/** Reads messages with their lengths in front. */
export function readResponses(stream: Uint8Array): ReadResponse {
  const response: ReadResponse = { blocks: [], has: [], hasNot: [] }
  for (const message of unframed(Buffer.from(stream)).messages) {
    for (const [number, value] of fieldsOf(message)) {
      const inner = new Map(fieldsOf(value as Buffer))
      if (number === 3) {
        response.blocks.push({
          prefix: (inner.get(1) as Buffer).toString('hex'),
          data: inner.get(2) as Buffer,
        })
      } else if (number === 4) {
        const cid = (inner.get(1) as Buffer).toString('hex')
        ;((inner.get(2) ?? 0n) === 0n ? response.has : response.hasNot).push(cid)
      }
    }
  }
  return response
}

/** What a server says, without its length. Blocks are sent as raw ones with SHA-256. */
export function responseMessage({
  blocks = [],
  has = [],
  hasNot = [],
}: {
  blocks?: readonly Uint8Array[]
  has?: readonly Uint8Array[]
  hasNot?: readonly Uint8Array[]
}): Uint8Array {
  const presence = (cid: Uint8Array, type: bigint): Buffer =>
    bytesField(4, Buffer.concat([bytesField(1, cid), numberField(2, type)]))
  return Buffer.concat([
    ...blocks.map((data) => {
      const prefix = bytesField(1, Uint8Array.of(1, 0x55, 0x12, 32))
      return bytesField(3, Buffer.concat([prefix, bytesField(2, data)]))
    }),
    ...has.map((cid) => presence(cid, 0n)),
    ...hasNot.map((cid) => presence(cid, 1n)),
  ])
}
