import { mkdir } from 'node:fs/promises'
import type { Service } from './peer.ts'
import { built, isProgram, versionOf } from './program.ts'

/** What a registry has to say to it. */
export const s3Access = { bucket: 'bench', accessKey: 'bench', secretKey: 'secret-of-bench' } as const

/** An S3 server over a folder, with one bucket. */
export const versitygw: Service = {
  async find() {
    const program = process.env['VERSITYGW_BIN'] || (await built('versitygw'))
    if (!program) return { missing: 'not built (tools/peers/install.sh versitygw), VERSITYGW_BIN is not set' }
    if (!(await isProgram(program))) return { missing: 'VERSITYGW_BIN names no program' }
    return { program, version: await versionOf(program, '--version') }
  },
  async setUp({ folder }) {
    await mkdir(`${folder}/buckets/${s3Access.bucket}`, { recursive: true })
    await mkdir(`${folder}/metadata`)
  },
  // The metadata beside the objects, since not every file system has extended attributes.
  launch: ({ program, port, folder }) => ({
    command: program,
    args: [
      ...['--port', `127.0.0.1:${port}`, '--keep-alive', '--quiet'],
      ...['posix', '--sidecar', `${folder}/metadata`, `${folder}/buckets`],
    ],
    env: {
      ROOT_ACCESS_KEY_ID: s3Access.accessKey,
      ROOT_SECRET_ACCESS_KEY: s3Access.secretKey,
      HOME: folder,
    },
    files: {},
  }),
}
