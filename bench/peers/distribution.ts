import { fileURLToPath } from 'node:url'
import type { Launch, Peer } from './peer.ts'
import { isProgram, onPath, printed, versionOf } from './program.ts'

/** As its own image configures it (descriptor cache in memory), without logs and traces. */
function launch(program: string, port: number, folder: string): Launch {
  const configuration = {
    version: '0.1',
    log: { level: 'error', accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: `${folder}/data` },
      cache: { blobdescriptor: 'inmemory' },
      delete: { enabled: true },
    },
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

/** Debian's package. */
export const distribution2: Peer = {
  id: 'distribution-2',
  label: 'distribution 2.8',
  async find() {
    const program = await onPath('docker-registry')
    if (program === null) return { missing: 'no docker-registry on PATH (tools/peers/install.sh --debian)' }
    return { program, version: await versionOf(program, '--version') }
  },
  launch,
}

/** Where `tools/peers/install.sh` has built it, or null. */
async function built(): Promise<string | null> {
  const installer = fileURLToPath(new URL('../../tools/peers/install.sh', import.meta.url))
  const [, , state, path] = (await printed(installer, '--list', 'distribution')).trim().split(/\s+/)
  return state === 'present' && path !== undefined ? path : null
}

/** Built from its Go module. */
export const distribution3: Peer = {
  id: 'distribution-3',
  label: 'distribution 3',
  async find() {
    const program = process.env['DISTRIBUTION_BIN'] || (await built())
    if (!program)
      return { missing: 'not built (tools/peers/install.sh distribution), DISTRIBUTION_BIN is not set' }
    if (!(await isProgram(program))) return { missing: 'DISTRIBUTION_BIN names no program' }
    return { program, version: await versionOf(program, '--version') }
  },
  launch,
}
