import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { seedRepositories, tagsRepository } from '../seed/contents.ts'
import type { Peer } from './peer.ts'

/** Where the server finds which blobs it is to know from the start. */
function seeded(folder: string): string {
  return `${folder}/blobs.json`
}

/** A plain `node:http` server that stores nothing: what is measured with it is the limit of the client. */
export const bare: Peer = {
  id: 'bare',
  label: 'bare node:http',
  kind: 'limit',
  lacks: ['collection', 'ipfs', 'cid'],
  find: () => Promise.resolve({ program: process.execPath, version: process.version }),
  launch: ({ program, port, folder }) => ({
    command: program,
    args: [fileURLToPath(new URL('bare-server.ts', import.meta.url)), String(port), seeded(folder)],
    env: {},
    files: {},
  }),
  seed: {
    sizes: (wanted) => wanted,
    async fill({ folder }, sizes) {
      const found = new Map<string, number>()
      for (const { name, manifests } of seedRepositories(sizes)) {
        if (name !== tagsRepository) continue
        for (const { blobs } of manifests())
          for (const { digest, bytes } of blobs) found.set(digest, bytes.length)
      }
      await writeFile(seeded(folder), JSON.stringify([...found]))
    },
  },
}
