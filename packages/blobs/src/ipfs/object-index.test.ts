import fc from 'fast-check'
import { expect, test } from 'vitest'
import { newStorageKey, newUploadId } from '@openregistry/core'
import { parseCid, rawCid } from '@openregistry/dag'
import { formatEntry, ObjectIndex, parseEntry } from './object-index.ts'

const index = new ObjectIndex('openregistry')

test('a key is found by its CID, and the CID tells the key', () => {
  const key = newStorageKey(newUploadId())
  const cid = index.cidOf(key)
  expect(parseCid(cid)).toBe(cid)
  expect(index.keyOf(cid)).toBe(key)
  expect(new ObjectIndex('other').keyOf(cid)).toBeNull()
  expect(new ObjectIndex('open').keyOf(new ObjectIndex('open/registry').cidOf(key))).toBeNull()
})

test.each([
  ['something of ours that is no object', index.cidOfText('probe')],
  ['a key in capitals', index.cidOfText(newStorageKey(newUploadId()).toUpperCase())],
  ['a file', rawCid(new Uint8Array(32))],
  ['version 0', 'QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn'],
  ['no CID at all', 'openregistry'],
])('%s is no key', (_what, text) => {
  expect(index.keyOf(text)).toBeNull()
})

test('whatever a pin is called, it is an entry of ours or none', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const entry = parseEntry(text)
      if (entry !== null) expect(formatEntry(entry)).toBe(text)
    }),
  )
})

test('the entry of the largest object fits into the name of a pin', () => {
  const cid = rawCid(new Uint8Array(32).fill(0xff))
  const entry = { pin: cid, file: cid, size: Number.MAX_SAFE_INTEGER }
  const text = formatEntry(entry)
  expect(parseEntry(text)).toEqual(entry)
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(255)
})
