import { seedDistribution } from '../seed/distribution.ts'
import type { Launch, Peer, Site } from './peer.ts'
import { built, isProgram, onPath, versionOf } from './program.ts'

/** Without logs and traces. */
function launch({ program, port, folder }: Site, cache: object): Launch {
  const configuration = {
    version: '0.1',
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: `${folder}/data` }, delete: { enabled: true }, ...cache },
    http: { addr: `127.0.0.1:${port}` },
  }
  return {
    command: program,
    args: ['serve', `${folder}/config.yml`],
    env: { OTEL_TRACES_EXPORTER: 'none' },
    // JSON is YAML.
    files: { [`${folder}/config.yml`]: JSON.stringify(configuration) },
  }
}

/** As its own image configures it. */
const inMemory = { cache: { blobdescriptor: 'inmemory' } }

const shared = {
  kind: 'other',
  lacks: ['referrers', 'collection', 'ipfs', 'cid'],
  seed: {
    // A folder and a file for nearly everything: ten times as much would be two million of them.
    sizes: (wanted) => ({ ...wanted, repositories: Math.ceil(wanted.repositories / 10), referrers: 0 }),
    async fill({ folder }, sizes) {
      await seedDistribution(`${folder}/data`, sizes)
    },
  },
} satisfies Partial<Peer>

/** Debian's package. */
export const distribution2: Peer = {
  ...shared,
  id: 'distribution-2',
  label: 'distribution 2.8',
  async find() {
    const program = await onPath('docker-registry')
    if (program === null) return { missing: 'no docker-registry on PATH (tools/peers/install.sh --debian)' }
    return { program, version: await versionOf(program, '--version') }
  },
  launch: (site) => launch(site, inMemory),
}

/** Built from its Go module. */
export const distribution3: Peer = {
  ...shared,
  id: 'distribution-3',
  label: 'distribution 3',
  async find() {
    const program = process.env['DISTRIBUTION_BIN'] || (await built('distribution'))
    if (!program)
      return { missing: 'not built (tools/peers/install.sh distribution), DISTRIBUTION_BIN is not set' }
    if (!(await isProgram(program))) return { missing: 'DISTRIBUTION_BIN names no program' }
    return { program, version: await versionOf(program, '--version') }
  },
  launch: (site) => launch(site, inMemory),
}

/** The same without its cache of descriptors, as it starts when its configuration does not mention one. */
export const distribution3Plain: Peer = {
  ...distribution3,
  id: 'distribution-3-plain',
  label: 'distribution 3, no cache',
  launch: (site) => launch(site, {}),
}
