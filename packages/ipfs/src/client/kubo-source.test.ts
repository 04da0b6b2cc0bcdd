import { maxBlockSize, rawCid } from '@openregistry/dag'
import { expect, test } from 'vitest'
import { sha256 } from '../sha256.ts'
import { gatewaySource } from './gateway-source.ts'
import { kuboSource } from './kubo-source.ts'

const block = Buffer.from('a block')
const cid = rawCid(sha256(block))

/** Answers one after the other, and what was asked. */
function scripted(...answers: (Response | Error)[]) {
  const asked: string[] = []
  const ask: typeof fetch = (url, request) => {
    asked.push(`${request?.method ?? 'GET'} ${url instanceof Request ? url.url : url.toString()}`)
    const answer = answers.shift()
    if (answer === undefined) throw new Error('Nobody expected this question.')
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
  }
  return { ask, asked }
}

const gone = () => new Response('gone', { status: 404 })

test('a gateway is asked for blocks alone, and again when that may help', async () => {
  const { ask, asked } = scripted(new Response('busy', { status: 503 }), new Response(block), gone())
  const gateway = gatewaySource('https://ipfs.example.org/', ask)
  expect(await gateway.block(cid, block.length)).toEqual(new Uint8Array(block))
  expect(await gateway.block(cid, block.length)).toBeNull()
  expect(new Set(asked)).toEqual(new Set([`GET https://ipfs.example.org/ipfs/${cid}?format=raw`]))
})

test('Kubo is asked by its API, and its words are passed on', async () => {
  const fault = new Response('{"Message":"block was not found\\n"}', { status: 500 })
  const { ask, asked } = scripted(new Response(block), fault)
  const kubo = kuboSource('http://127.0.0.1:5001', null, ask)
  expect(await kubo.block(cid, block.length)).toEqual(new Uint8Array(block))
  await expect(kubo.block(cid, block.length)).rejects.toThrow(
    'status 500 ({"Message":"block was not found\\n"})',
  )
  expect(asked[0]).toBe(`POST http://127.0.0.1:5001/api/v0/block/get?arg=${cid}&timeout=25s`)
})

test('nobody gives more than a block', async () => {
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(1024 * 1024)),
  })
  const { ask } = scripted(new Response(endless))
  await expect(gatewaySource('https://ipfs.example.org', ask).block(cid, maxBlockSize)).rejects.toThrow(
    'more than',
  )
})

test('a record comes from the router of a gateway, else from the gateway, and is never larger than records are', async () => {
  const tooLarge = () => new Response(new Uint8Array(10_241))
  const { ask, asked } = scripted(gone(), new Response('record'), tooLarge(), tooLarge())
  const gateway = gatewaySource('https://ipfs.example.org', ask)
  expect(Buffer.from((await gateway.record('k51'))!).toString()).toBe('record')
  expect(asked.map((url) => new URL(url.slice(4)).pathname)).toEqual(['/routing/v1/ipns/k51', '/ipns/k51'])
  await expect(gateway.record('k51')).rejects.toThrow('more than the 10240 bytes')
})
