import { randomBytes } from 'node:crypto'
import { rawCid } from '@openregistry/dag'
import { expect, test } from 'vitest'
import { startBlockGateway } from '@openregistry/testkit'
import { gatewaySource } from './gateway-source.ts'

const bytes = Uint8Array.from(randomBytes(5000))
const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
const cid = rawCid(hash)

test('gives a block, or says that it is not there', async () => {
  await using gateway = await startBlockGateway(bytes)
  const source = gatewaySource(`${gateway.address}/`)
  expect(source.name).toBe(new URL(gateway.address).host)
  expect(await source.block(cid, bytes.length)).toStrictEqual(bytes)
  expect(gateway.asked).toStrictEqual([`/ipfs/${cid}?format=raw`])
  expect(await source.block(rawCid(new Uint8Array(32)), 10)).toBeNull()
})

test('reads no more than the block has', async () => {
  await using gateway = await startBlockGateway(bytes)
  const source = gatewaySource(gateway.address)
  await expect(source.block(cid, 4999)).rejects.toThrow('more than the 4999 bytes')
  expect((await source.block(cid, 6000))?.length).toBe(5000)
})

test.each([
  [[503], 'given'],
  [[429, 502], 'given'],
  [[500, 500, 500, 500], 'it answers with status 500 (a page of a proxy)'],
  [[301], 'it answers with status 301 (a page of a proxy)'],
  [[403], 'it answers with status 403 (a page of a proxy)'],
  [[410], 'not there'],
] as const)('answers of %j end in: %s', async (statuses, expected) => {
  await using gateway = await startBlockGateway(bytes)
  const left = [...statuses]
  gateway.answer = (_cid, _block, response) => {
    const status = left.shift()
    if (status !== undefined) response.writeHead(status).end('a page of a proxy')
    return status !== undefined
  }
  const outcome = await gatewaySource(gateway.address)
    .block(cid, bytes.length)
    .then(
      (block) => (block === null ? 'not there' : 'given'),
      (error: Error) => error.message,
    )
  expect(outcome).toBe(expected)
})

test('does not wait for what does not come, and stops when it is told to', async () => {
  await using gateway = await startBlockGateway(bytes)
  gateway.answer = () => true
  const stopping = new AbortController()
  const asked = gatewaySource(gateway.address).block(cid, bytes.length, stopping.signal)
  stopping.abort(new Error('stopped'))
  await expect(asked).rejects.toThrow('stopped')
})
