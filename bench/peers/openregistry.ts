import { fileURLToPath } from 'node:url'
import type { Peer } from './peer.ts'
import { isProgram, versionOf } from './program.ts'

/** Ourselves, as a user starts us: embedded SQLite, files on disk, CIDs and disk syncs included. */
export const openregistry: Peer = {
  id: 'openregistry',
  label: 'OpenRegistry',
  async find() {
    const program = fileURLToPath(new URL('../../bin/openregistry', import.meta.url))
    if (!(await isProgram(program))) return { missing: 'bin/openregistry is not there' }
    return { program, version: await versionOf(program, 'version') }
  },
  launch: (program, port, folder) => ({
    command: program,
    args: ['serve'],
    env: {
      OPEN_REGISTRY_HTTP_PORT: String(port),
      OPEN_REGISTRY_DATA_DIR: `${folder}/data`,
      OPEN_REGISTRY_LOG_LEVEL: 'error',
    },
    files: {},
  }),
}
