import { rawCid } from '@openregistry/dag'
import { MemoryBlockView } from '@openregistry/testkit'
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Conditions } from '../content-answer.ts'
import { answerRasl } from './rasl.ts'

const view = new MemoryBlockView()
const blob = Buffer.alloc(3_000_000, 'abcdefg')
view.addBlob(blob)
const cid = rawCid(createHash('sha256').update(blob).digest())

async function ask(text: string, conditions: Partial<Conditions> = {}) {
  await using answer = await answerRasl(view, text, { method: 'GET', ...conditions })
  const chunks: Uint8Array[] = []
  if (answer.body !== null && !(answer.body instanceof Uint8Array)) {
    for await (const chunk of answer.body) chunks.push(Uint8Array.from(chunk))
  }
  const { status, headers, length } = answer
  return { status, headers, length, body: Buffer.concat(chunks) }
}

test('a blob of any size comes whole by the CID of its digest', async () => {
  const answer = await ask(cid)
  expect(answer).toMatchObject({ status: 200, length: blob.length })
  expect(answer.body.equals(blob)).toBe(true)
  expect(answer.headers).toMatchObject({
    'Content-Type': 'application/octet-stream',
    'Content-Disposition': `attachment; filename="${cid}.bin"`,
    'Accept-Ranges': 'bytes',
    ETag: `"${cid}"`,
  })
})

test('so do parts of it', async () => {
  const answer = await ask(cid, { range: 'bytes=1000000-1999999' })
  expect(answer).toMatchObject({ status: 206, length: 1_000_000 })
  expect(answer.headers['Content-Range']).toBe('bytes 1000000-1999999/3000000')
  expect(answer.body.equals(blob.subarray(1_000_000, 2_000_000))).toBe(true)
  await expect(ask(cid, { range: 'bytes=3000000-' })).rejects.toMatchObject({
    code: 'RANGE_INVALID',
    detail: { size: 3_000_000 },
  })
})

test('a part of other content is not meant', async () => {
  const range = 'bytes=0-9'
  expect(await ask(cid, { range, ifRange: '"other"' })).toMatchObject({ status: 200, length: blob.length })
  expect(await ask(cid, { range, ifRange: `"${cid}"` })).toMatchObject({ status: 206, length: 10 })
})

test('HEAD and a client that has it get no byte', async () => {
  view.opened.length = 0
  expect(await ask(cid, { method: 'HEAD', range: 'bytes=0-1' })).toMatchObject({
    status: 200,
    length: blob.length,
  })
  expect(await ask(cid, { ifNoneMatch: `"${cid}"` })).toMatchObject({ status: 304 })
  expect(view.opened).toEqual([])
})

test.each([
  ['bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku', 'CONTENT_UNKNOWN'],
  ['bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354', 'CID_INVALID'],
  ['bafkqaaa', 'CID_INVALID'],
  ['latest', 'CID_INVALID'],
])('%s is refused', async (text, code) => {
  await expect(ask(text)).rejects.toMatchObject({ code })
})
