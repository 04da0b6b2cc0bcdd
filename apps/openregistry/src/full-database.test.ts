import { randomBytes } from 'node:crypto'
import { mediaTypes } from '@openregistry/oci'
import { describeWithPostgres, type Volume } from '@openregistry/testkit'
import { beforeEach, expect, test } from 'vitest'
import { databaseVariables } from './testing/on-postgres.ts'
import { pushImage } from './testing/push-image.ts'
import { runServer, type ServerUnderTest } from './testing/run-server.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

/** An index of nothing, with so much in it that the database needs space for it. */
function putLarge({ server }: ServerUnderTest, tag: string): Promise<Response> {
  const annotations = { 'org.example.noise': randomBytes(200_000).toString('base64') }
  return fetch(`${server}/v2/me/app/manifests/${tag}`, {
    method: 'PUT',
    headers: { 'Content-Type': mediaTypes.ociIndex },
    body: JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [], annotations }),
  })
}

async function messageOf(response: Response): Promise<string> {
  const { errors } = (await response.json()) as { errors: { message: string }[] }
  return errors[0]?.message ?? ''
}

const ownDisk = { ownDisk: true }

describeWithPostgres(
  'PostgreSQL whose disk is full',
  (cluster) => {
    let disk: Volume
    beforeEach((context) => {
      if (cluster().disk?.isOwn !== true) context.skip('needs a user who may mount file systems')
      disk = cluster().disk!
    })

    async function start(folder: string): Promise<ServerUnderTest> {
      const env = databaseVariables(await cluster().createDatabase())
      return runServer({ cwd: folder, env: { ...env, OPEN_REGISTRY_HTTP_WORKERS: '1' } })
    }

    /** The same image, again and again: what was acknowledged is there. */
    async function pull({ server }: ServerUnderTest, digest: string): Promise<void> {
      for (let count = 0; count < 10; count++) {
        const pulled = await fetch(`${server}/v2/me/app/manifests/1`)
        expect(pulled.status).toBe(200)
        expect(pulled.headers.get('Docker-Content-Digest')).toBe(digest)
      }
    }

    test('pushes get 507 and what to do, pulls go on, and so do pushes when there is space', async () => {
      await using folder = await temporaryFolder()
      await using registry = await start(folder.path)
      const { digest } = await pushImage(registry.client, 'me/app:1')
      await disk.fill(0)
      try {
        const refused = await putLarge(registry, 'large')
        expect(refused.status).toBe(507)
        expect(await messageOf(refused)).toContain('make room there, then try again')
        await pull(registry, digest)
      } finally {
        await disk.empty()
      }
      expect((await putLarge(registry, 'large')).status).toBe(201)
      await pull(registry, digest)
    })

    test('when it crashes for that, pushes are refused, and all goes on once it is started again', async () => {
      await using folder = await temporaryFolder()
      await using registry = await start(folder.path)
      const { digest } = await pushImage(registry.client, 'me/app:1')
      await disk.fill(0)
      try {
        await cluster().exhaustLog()
        // Some servers come back with what little room there is in their log.
        expect([503, 507]).toContain((await putLarge(registry, 'large')).status)
      } finally {
        await disk.empty()
      }
      await cluster().recover()
      await pull(registry, digest)
      expect((await putLarge(registry, 'large')).status).toBe(201)
      expect((await fetch(`${registry.server}/readyz`)).status).toBe(200)
    })
  },
  ownDisk,
)
