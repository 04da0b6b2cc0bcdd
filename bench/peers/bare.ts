import { fileURLToPath } from 'node:url'
import type { Peer } from './peer.ts'

/** A plain `node:http` server that stores nothing: what is measured with it is the limit of the client. */
export const bare: Peer = {
  id: 'bare',
  label: 'bare node:http',
  find: () => Promise.resolve({ program: process.execPath, version: process.version }),
  launch: (program, port) => ({
    command: program,
    args: [fileURLToPath(new URL('bare-server.ts', import.meta.url)), String(port)],
    env: {},
    files: {},
  }),
}
