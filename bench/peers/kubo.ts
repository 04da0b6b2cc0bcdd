import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { callKubo } from '../client/kubo-api.ts'
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
export function kuboApiPort({ folder }: Site): number {
  const address = readFileSync(`${folder}/api`, 'utf8').trim()
  const port = /\/tcp\/(\d+)$/.exec(address)?.[1]
  if (port === undefined) throw new Error(`the API of Kubo is at ${address}`)
  return Number(port)
}

/** Adds files in the profile that our CIDs are of. */
async function addFiles(site: Site, files: readonly PreparedBlob[]): Promise<void> {
  const profile = 'cid-version=1&raw-leaves=true&chunker=size-1048576&max-file-links=1024'
  const named = files.map(({ digest, pieces }) => ({
    name: digest.slice('sha256:'.length),
    pieces: pieces(),
  }))
  await callKubo(kuboApiPort(site), `add?${profile}&quiet=true`, named)
}

/** A node of IPFS that knows nobody. No registry: its gateway is asked for the blocks that ours is asked for. */
export const kubo: Peer = {
  id: 'kubo',
  label: 'Kubo',
  kind: 'other',
  lacks: ['registry', 'referrers', 'collection', 'cid'],
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
