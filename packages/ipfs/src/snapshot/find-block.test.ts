import type { BlockSource } from '@openregistry/core'
import { rawCid } from '@openregistry/dag'
import { expect, test } from 'vitest'
import { sha256 } from '../sha256.ts'
import { BlockMissing, findBlockOf } from './find-block.ts'

const block = Buffer.from('a block')
const cid = rawCid(sha256(block))

test('a block is that of the first who has it right', async () => {
  const named = (name: string, answer: () => Promise<Uint8Array | null>): BlockSource => ({
    name,
    block: answer,
  })
  const broken = named('broken', () => Promise.reject(new Error('no route')))
  const empty = named('empty', () => Promise.resolve(null))
  const liar = named('liar', () => Promise.resolve(Buffer.from('another block')))
  const honest = named('honest', () => Promise.resolve(block))
  expect(await findBlockOf([broken, empty, liar, honest], cid)).toEqual(block)
  const failed = findBlockOf([broken, empty, liar], cid)
  await expect(failed).rejects.toThrow(BlockMissing)
  await expect(failed).rejects.toThrow('broken: no route; empty does not have it; liar gave other bytes')
  await expect(findBlockOf([], cid)).rejects.toThrow('nobody to ask')
})
