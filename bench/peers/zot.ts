import { seedZot } from '../seed/zot.ts'
import type { Peer } from './peer.ts'
import { isProgram, printed } from './program.ts'

/** The minimal build of zot with its defaults. No package registry has it: `ZOT_BIN` names the program. */
export const zot: Peer = {
  id: 'zot',
  label: 'zot',
  kind: 'other',
  lacks: ['collection', 'ipfs', 'cid'],
  async find() {
    const program = process.env['ZOT_BIN']
    if (!program) return { missing: 'ZOT_BIN is not set' }
    if (!(await isProgram(program))) return { missing: 'ZOT_BIN names no program' }
    // A build from source has no version; the specification's, which it prints too, is not zot's.
    const version = /"commit":"([^"]+)"/.exec(await printed(program, '--version'))?.[1] ?? 'unknown'
    return { program, version }
  },
  launch({ program, port, folder }) {
    const configuration = {
      storage: { rootDirectory: `${folder}/data` },
      http: { address: '127.0.0.1', port: String(port) },
      log: { level: 'error' },
    }
    return {
      command: program,
      args: ['serve', `${folder}/config.json`],
      env: {},
      files: { [`${folder}/config.json`]: JSON.stringify(configuration) },
    }
  },
  seed: {
    sizes: (wanted) => ({
      ...wanted,
      repositories: Math.ceil(wanted.repositories / 10),
      // Each request reads the manifests of a repository one by one.
      referrers: Math.ceil(wanted.referrers / 100),
    }),
    async fill({ folder }, sizes) {
      await seedZot(`${folder}/data`, sizes)
    },
  },
}
