import { cidParts, ipnsName, parseIpnsName, type Cid } from '@openregistry/dag'
import type { PublishedNames } from '@openregistry/ipfs'
import { RegistryError } from '@openregistry/oci'
import { HttpClient, MemoryBlockView, type HttpResponse } from '@openregistry/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { beginExchange } from '../http/exchange.ts'
import { listen, type Listener } from '../http/listener.ts'
import { silentLogger, type Logger } from '../log/logger.ts'
import { parseIpfsTarget } from './route.ts'
import { createIpfsTransport, type IpfsParts } from './transport.ts'

const view = new MemoryBlockView()
const small = view.addBlob(Buffer.from('a small blob'))
const large = view.addBlob(Buffer.alloc(3_000_000, 'large'))
const absent = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'

const faults: string[] = []
const log: Logger = { ...silentLogger, error: (event) => void faults.push(event) }
let sent = 0

/** A server with these surfaces alone. */
async function serve(changes: Partial<IpfsParts> = {}): Promise<Listener> {
  const transport = createIpfsTransport({
    ...{ view, names, peerId: '12D3KooWpeer', publicUrl: null, log, stall: 5000, logReads: false },
    countSent: (bytes) => void (sent += bytes),
    ...changes,
  })
  const options = { hosts: ['127.0.0.1'], port: 0, tls: null, maxHeaderSize: 16_384, headersTimeout: 5000 }
  return listen(
    { ...options, keepAliveTimeout: 5000, stall: 5000, maxConnections: 0 },
    (request, response) => {
      const exchange = beginExchange(request, response)
      void transport(exchange, parseIpfsTarget(exchange.path)!)
    },
  )
}

/** A name that has a record, and one that has none. */
const [name, noName] = [1, 2].map((key) => ipnsName(new Uint8Array(32).fill(key))) as [string, string]
const record = Buffer.from('a record')
const names: PublishedNames = {
  record(asked) {
    parseName(asked)
    return Promise.resolve(asked === name ? { bytes: record, maxAge: 60_000 } : null)
  },
}

function parseName(text: string): void {
  try {
    parseIpnsName(text)
  } catch {
    // As what signs them does.
    throw new RegistryError('CID_INVALID')
  }
}

let listener: Listener
let client: HttpClient
beforeAll(async () => {
  listener = await serve()
  client = new HttpClient(listener.addresses[0]!)
})
afterAll(async () => {
  client[Symbol.dispose]()
  await listener.close(0)
})

function send(method: string, path: string, headers: Record<string, string> = {}): Promise<HttpResponse> {
  return client.send({ method, path, headers })
}

function expectOpenToAll(response: HttpResponse): void {
  expect(response.header('access-control-allow-origin')).toBe('*')
  expect(response.header('access-control-allow-credentials') ?? null).toBeNull()
}

describe('/ipfs', () => {
  test('sends a block with its length, and says the same to HEAD', async () => {
    const got = await send('GET', `/ipfs/${small.cid}?format=raw`)
    expect([got.status, got.header('content-length'), got.body.toString()]).toEqual([
      200,
      '12',
      'a small blob',
    ])
    const head = await send('HEAD', `/ipfs/${small.cid}?format=raw`)
    expect([head.status, head.header('content-length'), head.body.length]).toEqual([200, '12', 0])
    expectOpenToAll(got)
  })

  test('streams a CAR, whose length nobody knows', async () => {
    sent = 0
    const got = await send('GET', `/ipfs/${large.cid}?format=car`, { origin: 'https://a.page' })
    expect([got.status, got.header('content-length') ?? null]).toEqual([200, null])
    expect(got.body.length > 3_000_000).toBe(true)
    expect(sent).toBe(got.body.length)
    const head = await send('HEAD', `/ipfs/${large.cid}?format=car`)
    expect([head.status, head.header('content-length') ?? null, head.body.length]).toEqual([200, null, 0])
    expectOpenToAll(got)
  })

  test.each([
    ['GET', `/ipfs/${absent}?format=raw`, {}, 404],
    ['HEAD', `/ipfs/${absent}?format=raw`, {}, 404],
    ['GET', `/ipfs/${absent}?format=raw`, { 'cache-control': 'max-age=0, only-if-cached' }, 412],
    ['GET', `/ipfs/${small.cid}?format=raw`, { 'cache-control': 'only-if-cached' }, 200],
    ['GET', `/ipfs/${small.cid}?format=raw`, { 'if-none-match': `"${small.cid}.raw"` }, 304],
    ['GET', `/ipfs/${small.cid}`, { accept: 'text/html,*/*;q=0.8' }, 406],
    ['GET', `/ipfs/${small.cid}?format=json`, {}, 406],
    ['GET', '/ipfs/nothing?format=raw', {}, 400],
    ['GET', '/ipfs/?format=raw', {}, 400],
    ['GET', `/ipfs/${large.cid}/..%2f..?format=car`, {}, 400],
    ['GET', `/ipfs/${small.cid}?format=raw`, { 'service-worker': 'script' }, 400],
    ['POST', `/ipfs/${small.cid}?format=raw`, {}, 405],
    ['DELETE', `/ipfs/${small.cid}`, {}, 405],
  ])('%s %s with %j is %i', async (method, path, headers, status) => {
    const response = await send(method, path, headers)
    expect(response.status).toBe(status)
    expectOpenToAll(response)
    if (status < 400) return
    expect(response.header('content-type')).toBe('text/plain; charset=utf-8')
    expect(response.header('x-content-type-options')).toBe('nosniff')
    expect(response.header('cache-control')).toBe('no-store')
  })

  test('says which formats there are', async () => {
    const { body } = await send('GET', `/ipfs/${small.cid}`)
    expect(body.toString()).toContain('format=raw')
    expect(body.toString()).toContain('format=car')
  })

  test('cuts off what it cannot finish, and has no fault of its own when a block is missing', async () => {
    const torn = new MemoryBlockView()
    const [a, b] = [torn.addBlob(Buffer.alloc(500_000, 'a')), torn.addBlob(Buffer.from('b'))]
    const { cid } = torn.addDirectory([
      { name: 'a', ...a },
      { name: 'b', ...b },
    ])
    torn.hide(cidParts(b.cid).digest)
    const failing = torn.addBlob(Buffer.alloc(4_000_000, 'c'))
    torn.failAt = 2_000_000
    const other = await serve({ view: torn })
    using http = new HttpClient(other.addresses[0]!)
    faults.length = 0
    await expect(http.send({ path: `/ipfs/${cid}?format=car` })).rejects.toThrow()
    expect(faults).toEqual([])
    await expect(http.send({ path: `/ipfs/${failing.cid}?format=car` })).rejects.toThrow()
    expect(faults).toEqual(['request_failed'])
    expect(torn.open).toBe(0)
    await other.close(0)
  })

  test('reads nothing more for a client that went away', async () => {
    const slow = new MemoryBlockView()
    const { cid } = slow.addBlob(Buffer.alloc(64_000_000, 'x'))
    const gate = Promise.withResolvers<void>()
    let chunks = 0
    slow.beforeChunk = () => (++chunks < 3 ? Promise.resolve() : gate.promise)
    const other = await serve({ view: slow })
    using http = new HttpClient(other.addresses[0]!)
    const open = http.begin({ path: `/ipfs/${cid}?format=car` })
    open.end()
    await expect.poll(() => chunks).toBe(3)
    open.abort()
    await expect(open.response).rejects.toThrow()
    gate.resolve()
    await expect.poll(() => slow.open).toBe(0)
    expect(chunks < 10).toBe(true)
    await other.close(0)
  })

  test('answers what a browser asks first', async () => {
    const response = await send('OPTIONS', `/ipfs/${small.cid}`, {
      origin: 'https://a.page',
      'access-control-request-method': 'GET',
    })
    expect(response.status).toBe(204)
    expectOpenToAll(response)
    expect(response.header('access-control-allow-methods')).toBe('GET, HEAD, OPTIONS')
  })
})

describe('/ipns', () => {
  test('sends the record of a name, as the router does', async () => {
    for (const path of [`/ipns/${name}?format=ipns-record`, `/routing/v1/ipns/${name}`]) {
      const got = await send('GET', path)
      expect([got.status, got.header('content-type'), got.header('cache-control')]).toEqual([
        ...[200, 'application/vnd.ipfs.ipns-record', 'public, max-age=60'],
      ])
      expect(got.body.equals(record)).toBe(true)
      expectOpenToAll(got)
      const head = await send('HEAD', path)
      expect([head.status, head.header('content-length'), head.body.length]).toEqual([200, '8', 0])
    }
  })

  test.each([
    ['GET', `/ipns/${noName}?format=ipns-record`, 404],
    ['GET', `/ipns/${name}`, 406],
    ['GET', `/ipns/${name}?format=car`, 406],
    ['GET', `/ipns/${name}/v1?format=ipns-record`, 400],
    ['GET', '/ipns/example.org?format=ipns-record', 400],
    ['GET', '/ipns/?format=ipns-record', 400],
    ['PUT', `/ipns/${name}`, 405],
  ])('%s %s is %i', async (method, path, status) => {
    const answer = await send(method, path)
    expect(answer.status).toBe(status)
    expect(answer.header('cache-control')).toBe('no-store')
  })
})

describe('/.well-known/rasl', () => {
  // The CID of the digest, not that of the tree.
  const rasl = async (): Promise<Cid> => {
    const file = (await view.file(cidParts(large.cid).digest))!
    const chunks: Uint8Array[] = []
    for await (const chunk of (await file.open()).chunks) chunks.push(Uint8Array.from(chunk))
    return new MemoryBlockView().addBlock(Buffer.concat(chunks))
  }

  test('sends a blob whole, or a part', async () => {
    const path = `/.well-known/rasl/${await rasl()}`
    const whole = await send('GET', path)
    expect([whole.status, whole.header('content-length'), whole.body.length]).toEqual([
      200,
      '3000000',
      3_000_000,
    ])
    const part = await send('GET', path, { range: 'bytes=10-14' })
    expect([part.status, part.header('content-range'), part.body.toString()]).toEqual([
      206,
      'bytes 10-14/3000000',
      'large',
    ])
    const outside = await send('GET', path, { range: 'bytes=3000000-' })
    expect([outside.status, outside.header('content-range')]).toEqual([416, 'bytes */3000000'])
    const head = await send('HEAD', path)
    expect([head.status, head.header('content-length'), head.body.length]).toEqual([200, '3000000', 0])
  })

  test.each([
    [absent, 404],
    [large.cid, 400],
    ['x', 400],
  ])('%s is %i', async (cid, status) => {
    expect((await send('GET', `/.well-known/rasl/${cid}`)).status).toBe(status)
  })
})

describe('/routing', () => {
  const lines = { accept: 'application/x-ndjson' }

  test('names this server at the address by which it was reached', async () => {
    const response = await send('GET', `/routing/v1/providers/${small.cid}`)
    const { host } = client.origin
    expect(response.status).toBe(200)
    expect(response.header('content-type')).toBe('application/json')
    expect(JSON.parse(response.body.toString())).toEqual({
      Providers: [
        {
          Schema: 'peer',
          ID: '12D3KooWpeer',
          Addrs: [`/ip4/127.0.0.1/tcp/${host.split(':')[1]}/http`],
          Protocols: ['transport-ipfs-gateway-http'],
        },
      ],
    })
    expectOpenToAll(response)
  })

  test('names it as configured', async () => {
    const other = await serve({ publicUrl: new URL('https://registry.example') })
    using http = new HttpClient(other.addresses[0]!)
    const response = await http.send({ path: `/routing/v1/providers/${small.cid}`, headers: lines })
    expect(response.header('content-type')).toBe('application/x-ndjson')
    expect(response.body.toString()).toBe(
      '{"Schema":"peer","ID":"12D3KooWpeer","Addrs":["/dns/registry.example/tcp/443/tls/http"],"Protocols":["transport-ipfs-gateway-http"]}\n',
    )
    await other.close(0)
  })

  test('has an empty list for what is not here', async () => {
    const path = `/routing/v1/providers/${absent}`
    const response = await send('GET', path)
    expect([response.status, response.body.toString()]).toEqual([200, '{"Providers":[]}'])
    const streamed = await send('GET', path, lines)
    expect([streamed.status, streamed.body.length]).toEqual([200, 0])
    const filtered = await send(
      'GET',
      `/routing/v1/providers/${small.cid}?filter-protocols=transport-bitswap`,
    )
    expect(filtered.body.toString()).toBe('{"Providers":[]}')
  })

  test.each([
    ['GET', '/routing/v1/providers/nothing', 422],
    ['GET', `/routing/v1/providers/${small.cid}?filter-addrs=%20`, 422],
    ['PUT', `/routing/v1/providers/${small.cid}`, 501],
    ['GET', '/routing/v1/peers/12D3KooWpeer', 501],
    ['GET', '/routing/v1/dht/closest/peers/x', 501],
    ['GET', `/routing/v1/ipns/${noName}`, 404],
    ['GET', '/routing/v1/ipns/example.org', 422],
    ['PUT', `/routing/v1/ipns/${name}`, 501],
  ])('%s %s is %i, and no fault', async (method, path, status) => {
    faults.length = 0
    expect((await send(method, path)).status).toBe(status)
    expect(faults).toEqual([])
  })

  test('takes no records, and says why', async () => {
    const answer = await client.send({ method: 'PUT', path: `/routing/v1/ipns/${noName}`, body: record })
    expect([answer.status, answer.text()]).toEqual([501, expect.stringContaining('signed by the registry')])
  })
})
