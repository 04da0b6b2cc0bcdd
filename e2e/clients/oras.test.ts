import { createHash } from 'node:crypto'
import { createReadStream, readFileSync, rmSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { expect } from 'vitest'
import { clientTest, sharedRegistry, sharedScratch } from '../support/client-test.ts'
import { homedClient } from '../support/homed-client.ts'
import { RegistryApi } from '../support/registry-api.ts'
import { makeLargeFile } from '../support/rootfs.ts'

const scratch = sharedScratch()
const registry = sharedRegistry()
const gibibyte = 1024 ** 3

/** oras in the folder of the files that it pushes: it takes relative names only. */
const oras = () => homedClient('oras', scratch()).with({ cwd: scratch().path, timeout: 120_000 })

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file, { highWaterMark: 1024 * 1024 }), hash)
  return hash.digest('hex')
}

clientTest(['oras'], 'push and pull an artifact of two files, with several tags', async () => {
  scratch().file('a.txt', 'first\n')
  scratch().file('b.json', '{"second": true}\n')
  const reference = `${registry().address}/me/artifact:1`
  const type = ['--artifact-type', 'application/vnd.example.config']
  const files = ['a.txt:text/plain', 'b.json:application/json']
  await oras().run('push', '--plain-http', ...type, `${reference},latest`, ...files)
  await oras().run('pull', '--plain-http', '-o', 'out', reference)
  expect(readFileSync(join(scratch().path, 'out/a.txt'), 'utf8')).toBe('first\n')
  expect(await oras().run('repo', 'tags', '--plain-http', `${registry().address}/me/artifact`)).toBe(
    '1\nlatest',
  )
})

clientTest(['oras'], 'attach to an artifact, discover it, without a fallback tag', async () => {
  const { address, url } = registry()
  scratch().file('c.txt', 'subject\n')
  scratch().file('sbom.json', '{}\n')
  await oras().run('push', '--plain-http', `${address}/me/subject:1`, 'c.txt:text/plain')
  const type = 'application/vnd.example.sbom'
  const attach = ['attach', '--plain-http', '--artifact-type', type]
  await oras().run(...attach, `${address}/me/subject:1`, 'sbom.json:application/json')

  const discover = ['discover', '--plain-http', '--format', 'json']
  const found: unknown = JSON.parse(await oras().run(...discover, `${address}/me/subject:1`))
  expect(JSON.stringify(found)).toContain(type)
  const api = new RegistryApi(url)
  const { digest } = await api.manifest('me/subject', '1')
  expect(await api.referrers('me/subject', digest)).toMatchObject([{ artifactType: type }])
  expect(await api.tags('me/subject')).toEqual(['1'])

  await oras().run(
    'copy',
    '-r',
    '--from-plain-http',
    '--to-plain-http',
    `${address}/me/subject:1`,
    `${address}/other/copy:1`,
  )
  expect(await api.referrers('other/copy', digest)).toMatchObject([{ artifactType: type }])
})

clientTest(['oras'], 'a layer of 1 GiB, there and back', async () => {
  const reference = `${registry().address}/me/large:1`
  const file = makeLargeFile(scratch(), 'large.bin', gibibyte)
  const pushed = join(scratch().path, 'pushed.bin')
  await oras().run('push', '--plain-http', '--no-tty', reference, 'large.bin:application/octet-stream')
  const digest = `sha256:${await sha256Of(file)}`
  const { body } = await new RegistryApi(registry().url).manifest('me/large', '1')
  expect(body.layers).toMatchObject([{ digest, size: gibibyte }])

  await rename(file, pushed)
  await oras().run('pull', '--plain-http', '--no-tty', reference)
  expect(`sha256:${await sha256Of(file)}`).toBe(digest)
  for (const path of [file, pushed]) rmSync(path)
})

clientTest(['oras'], 'manifests and blobs by themselves: push, fetch, delete', async () => {
  const repository = `${registry().address}/me/parts`
  scratch().file('blob.txt', 'a blob\n')
  await oras().run('push', '--plain-http', `${repository}:1`, 'blob.txt:text/plain')
  const manifest = await oras().run('manifest', 'fetch', '--plain-http', `${repository}:1`)
  expect(JSON.parse(manifest)).toMatchObject({ schemaVersion: 2 })
  const descriptor = await oras().run('resolve', '--plain-http', `${repository}:1`)
  await oras().run('manifest', 'delete', '--plain-http', '-f', `${repository}@${descriptor}`)
  expect((await oras().attempt('manifest', 'fetch', '--plain-http', `${repository}:1`)).code).toBe(1)
})
