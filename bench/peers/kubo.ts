import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import type { PreparedBlob } from '../content.ts'
import type { Peer, Site } from './peer.ts'
import { built, isProgram, versionOf } from './program.ts'

const run = promisify(execFile)

function environment({ folder }: Site): Record<string, string> {
  return { IPFS_PATH: folder, HOME: folder, IPFS_TELEMETRY: 'off' }
}

/** Nobody to talk to, nothing to announce; what it does not have is not sought. */
const alone: Readonly<Record<string, object>> = {
  AutoConf: { Enabled: false },
  AutoTLS: { Enabled: false },
  Discovery: { MDNS: { Enabled: false } },
  DNS: { Resolvers: {} },
  Ipns: { DelegatedPublishers: [] },
  Provide: { Enabled: false },
  Routing: { Type: 'none', DelegatedRouters: [] },
  Version: { SwarmCheckEnabled: false },
}

/** Makes a repository whose gateway is at the port of the site; its API chooses one. */
async function setUp(site: Site): Promise<void> {
  const env = { ...process.env, ...environment(site) }
  await run(site.program, ['init', '--empty-repo'], { env, cwd: site.folder })
  const file = `${site.folder}/config`
  const config = JSON.parse(await readFile(file, 'utf8')) as Record<string, object>
  const changed = {
    ...config,
    ...alone,
    Bootstrap: [],
    Addresses: {
      ...config['Addresses'],
      API: '/ip4/127.0.0.1/tcp/0',
      Gateway: `/ip4/127.0.0.1/tcp/${site.port}`,
      Swarm: [],
    },
    Gateway: { ...config['Gateway'], NoFetch: true },
  }
  await writeFile(file, JSON.stringify(changed))
}

/** Its own word on where its API is. @throws Error when it is not one of TCP */
async function apiPort({ folder }: Site): Promise<number> {
  const address = (await readFile(`${folder}/api`, 'utf8')).trim()
  const port = /\/tcp\/(\d+)$/.exec(address)?.[1]
  if (port === undefined) throw new Error(`the API of Kubo is at ${address}`)
  return Number(port)
}

/** A form with files, as the API takes them. */
function* formOf(
  boundary: string,
  files: readonly { name: string; pieces(): Iterable<readonly Buffer[]> }[],
): Generator<Buffer, void, undefined> {
  for (const { name, pieces } of files) {
    const head = `Content-Disposition: form-data; name="file"; filename="${name}"`
    yield Buffer.from(`--${boundary}\r\n${head}\r\nContent-Type: application/octet-stream\r\n\r\n`)
    for (const buffers of pieces()) yield Buffer.concat(buffers)
    yield Buffer.from('\r\n')
  }
  yield Buffer.from(`--${boundary}--\r\n`)
}

/** Sends files to a command of its API. @throws Error with what it answered unless it is a success */
async function call(site: Site, command: string, files: Parameters<typeof formOf>[1]): Promise<string> {
  const boundary = randomUUID()
  const headers = { 'Content-Type': `multipart/form-data; boundary=${boundary}` }
  const port = await apiPort(site)
  const sent = request({ host: '127.0.0.1', port, method: 'POST', path: `/api/v0/${command}`, headers })
  const answered = Promise.withResolvers<string>()
  sent.on('error', answered.reject)
  sent.on('response', (response) => {
    let text = ''
    response.setEncoding('utf8').on('data', (part: string) => (text += part))
    response.on('error', answered.reject)
    response.on('end', () => {
      const failure = response.trailers['x-stream-error']
      if (response.statusCode === 200 && failure === undefined) answered.resolve(text)
      else answered.reject(new Error(`Kubo, ${command}: ${failure?.toString() ?? text}`))
    })
  })
  await Promise.all([pipeline(Readable.from(formOf(boundary, files)), sent), answered.promise])
  return await answered.promise
}

/** Adds files in the profile that our CIDs are of. */
async function addFiles(site: Site, files: readonly PreparedBlob[]): Promise<void> {
  const profile = 'cid-version=1&raw-leaves=true&chunker=size-1048576&max-file-links=1024'
  const named = files.map(({ digest, pieces }) => ({ name: digest.slice('sha256:'.length), pieces }))
  await call(site, `add?${profile}&quiet=true`, named)
}

/** A node of IPFS that knows nobody. No registry: its gateway is asked for the blocks that ours is asked for. */
export const kubo: Peer = {
  id: 'kubo',
  label: 'Kubo',
  kind: 'other',
  lacks: ['registry', 'referrers', 'collection'],
  async find() {
    const program = process.env['KUBO_BIN'] || (await built('kubo'))
    if (!program) return { missing: 'not built (tools/peers/install.sh kubo), KUBO_BIN is not set' }
    if (!(await isProgram(program))) return { missing: 'KUBO_BIN names no program' }
    return { program, version: await versionOf(program, '--version') }
  },
  setUp,
  launch: (site) => ({
    command: site.program,
    args: ['daemon'],
    env: environment(site),
    files: {},
  }),
  addFiles,
}
