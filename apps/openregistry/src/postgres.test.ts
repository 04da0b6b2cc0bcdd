import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { BitswapClient, describeWithPostgres, freePort, wantlistMessage } from '@openregistry/testkit'
import { cidParts, encodeCid, rawCid } from '@openregistry/dag'
import { digestBytes, parseRepositoryName } from '@openregistry/oci'
import type { Finding } from './doctor/finding.ts'
import { smallestOn } from './testing/on-postgres.ts'
import { pushImage, type PushedImage } from './testing/push-image.ts'
import { runCommand } from './testing/run-command.ts'
import { runServer, type ServerUnderTest } from './testing/run-server.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

async function expectImage(registry: ServerUnderTest, name: string, image: PushedImage): Promise<void> {
  const response = await fetch(`${registry.server}/v2/${name}/blobs/${image.layer.digest}`)
  expect(new Uint8Array(await response.arrayBuffer())).toEqual(new Uint8Array(image.layer.bytes))
  const manifest = await fetch(`${registry.server}/v2/${name}/manifests/1`)
  expect(manifest.headers.get('Docker-Content-Digest')).toBe(image.digest)
}

const room = { settings: { max_connections: '100', superuser_reserved_connections: '3' } }

describeWithPostgres(
  'PostgreSQL',
  (cluster) => {
    const database = () => cluster().createDatabase()

    test('serves, stops, and serves again', async () => {
      await using folder = await temporaryFolder()
      const env = smallestOn(await database())
      const image = await (async () => {
        await using registry = await runServer({ cwd: folder.path, env })
        return await pushImage(registry.client, 'me/app:1')
      })()
      await using registry = await runServer({ cwd: folder.path, env })
      await expectImage(registry, 'me/app', image)
      const ready = await fetch(`${registry.server}/readyz`)
      expect(ready.status).toBe(200)
    })

    test('is one node of IPFS, in the process for the background, however many workers there are', async () => {
      await using folder = await temporaryFolder()
      const env = {
        ...smallestOn(await database()),
        OPEN_REGISTRY_HTTP_WORKERS: '2',
        OPEN_REGISTRY_IPFS_NODE: 'true',
        OPEN_REGISTRY_IPFS_LISTEN: `127.0.0.1:${await freePort()}`,
      }
      await using registry = await runServer({ cwd: folder.path, env })
      const image = await pushImage(registry.client, 'me/app:1')
      const started = registry.log.filter(({ event }) => event === 'ipfs_node_start')
      expect(started).toEqual([expect.objectContaining({ worker: 'background' })])
      const [address = ''] = started.flatMap(({ addresses }) => addresses as string[])
      await using peer = await BitswapClient.connect(address)
      const cid = encodeCid(cidParts(rawCid(digestBytes(image.layer.digest))))
      await peer.ask(wantlistMessage([{ cid }]))
      const { blocks } = await peer.told((told) => told.blocks.length === 1)
      expect(blocks[0]?.data.equals(image.layer.bytes)).toBe(true)
      const metrics = await (await fetch(`${registry.server}/metrics`)).text()
      expect(metrics).toMatch(/^openregistry_ipfs_peers 1$/m)
    })

    test('migrate, doctor and config print know it, and backup says what to use', async () => {
      await using folder = await temporaryFolder()
      const address = await database()
      const options = { cwd: folder.path, env: { ...smallestOn(address), OPEN_REGISTRY_HTTP_PORT: '0' } }
      const waiting = await runCommand(['doctor', '--json'], options)
      const { checks } = JSON.parse(waiting.stdout) as { checks: Finding[] }
      expect(checks.find(({ check }) => check === 'database')).toMatchObject({
        status: 'ok',
        message: expect.stringMatching(
          /PostgreSQL at .*: PostgreSQL \d+.*, its schema will be created/,
        ) as string,
      })
      const migrated = await runCommand(['migrate', '--json'], options)
      expect(JSON.parse(migrated.stdout)).toMatchObject({ from: 0 })
      const again = await runCommand(['migrate'], options)
      expect(again).toMatchObject({
        code: 0,
        stderr: expect.stringContaining('has the newest schema') as string,
      })
      const printed = await runCommand(['config', 'print'], options)
      expect(printed.stdout).toContain('kind: postgres')
      const backup = await runCommand(['backup', join(folder.path, 'backup')], options)
      expect(backup.code).toBe(2)
      expect(backup.stderr).toContain(`pg_dump --format=custom --host=${address.host}`)
      for (const { stdout, stderr } of [waiting, migrated, again, printed, backup])
        expect(stdout + stderr).not.toContain(address.password)
    })

    test('doctor warns of a server that loses what it acknowledged, and of one that is too small', async () => {
      await using folder = await temporaryFolder()
      const address = await database()
      const env = { ...smallestOn(address), OPEN_REGISTRY_HTTP_PORT: '0' }
      const warnings = async (over: Record<string, string> = {}) => {
        const { code, stdout } = await runCommand(['doctor', '--json'], {
          cwd: folder.path,
          env: { ...env, ...over },
        })
        expect(code).toBe(0)
        const { checks } = JSON.parse(stdout) as { checks: Finding[] }
        const found = checks.filter(({ check, status }) => check === 'database' && status === 'warning')
        return found.map(({ message }) => message)
      }
      // The cluster of the tests is one that nobody should have.
      const fsync = expect.stringMatching(/^fsync is off: when its machine loses power/) as string
      expect(await warnings()).toEqual([fsync])
      await cluster().sql(`ALTER DATABASE ${address.name} SET synchronous_commit = off`)
      await cluster().sql('ALTER SYSTEM SET full_page_writes = off')
      await cluster().sql('SELECT pg_reload_conf()')
      expect(await warnings()).toEqual([
        fsync,
        expect.stringMatching(/^full_page_writes is off/) as string,
        expect.stringMatching(/^synchronous_commit is off: .* answered with 201 are gone/) as string,
      ])
      await cluster().sql('ALTER SYSTEM RESET full_page_writes')
      await cluster().sql('SELECT pg_reload_conf()')
      await cluster().sql(`ALTER DATABASE ${address.name} RESET synchronous_commit`)
      // 97 connections are for everybody.
      const processes = (workers: number) => ({
        OPEN_REGISTRY_DB_POOL_SIZE: '12',
        OPEN_REGISTRY_HTTP_WORKERS: String(workers),
      })
      expect(await warnings(processes(7))).toEqual([fsync])
      expect(await warnings(processes(8))).toEqual([
        fsync,
        'the 9 processes of this machine may open 12 connections each, 108 in all, and the server takes 97 from all machines together',
      ])
    })

    test.each([
      ['a wrong password', { OPEN_REGISTRY_DB_PASSWORD: 'wrong' }, 'check db.user and db.password'],
      ['a missing database', { OPEN_REGISTRY_DB_NAME: 'none' }, 'createdb --owner=postgres none'],
    ])('%s: serve says what to do, and so does doctor', async (_what, over, expected) => {
      await using folder = await temporaryFolder()
      const env = { ...smallestOn(await database()), ...over, OPEN_REGISTRY_HTTP_PORT: '0' }
      const served = await runCommand(['serve'], { cwd: folder.path, env })
      expect(served.code).toBe(1)
      expect(served.stdout + served.stderr).toContain(expected)
      const examined = await runCommand(['doctor'], { cwd: folder.path, env })
      expect(examined.code).toBe(1)
      expect(examined.stdout).toContain(expected)
    })

    test('migrate --to moves an embedded registry, whose images are pulled from there', async () => {
      await using folder = await temporaryFolder()
      const { host, port, user, password, name } = await database()
      const to = `postgres://${user}@${host}:${port}/${name}`
      await writeFile(join(folder.path, 'password'), password)
      const options = { cwd: folder.path, env: { OPEN_REGISTRY_DB_PASSWORD_FILE: 'password' } }
      const images = await (async () => {
        await using embedded = await runServer({ cwd: folder.path })
        const pushed = [
          await pushImage(embedded.client, 'me/app:1'),
          await pushImage(embedded.client, 'you/tool:1'),
        ]
        const beside = await runCommand(['migrate', '--to', to], options)
        expect(beside).toMatchObject({
          code: 1,
          stderr: expect.stringContaining('Another server is using') as string,
        })
        return pushed
      })()
      const moved = await runCommand(['migrate', '--to', to], options)
      expect(moved).toMatchObject({
        code: 0,
        stderr: expect.stringContaining('Blobs were not touched') as string,
      })
      expect(moved.stderr).toContain('comparing manifests: 2 of 2')
      const twice = await runCommand(['migrate', '--to', to, '--json'], options)
      expect(twice).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('holds a registry already') as string,
      })
      const env = smallestOn({ host, port, user, password, name })
      await using registry = await runServer({ cwd: folder.path, env })
      await expectImage(registry, 'me/app', images[0]!)
      await expectImage(registry, 'you/tool', images[1]!)
      await pushImage(registry.client, 'me/app:2')
      const pages = await Array.fromAsync(registry.client.oci.tags(parseRepositoryName('me/app')))
      expect(pages.flat()).toEqual(['1', '2'])
    })

    test('what was moved is used by nobody, until that is undone on purpose, and then the other way round', async () => {
      await using folder = await temporaryFolder()
      const cwd = folder.path
      const address = await database()
      const { host, port, user, password, name } = address
      const to = `postgres://${user}@${host}:${port}/${name}`
      const image = await (async () => {
        await using embedded = await runServer({ cwd })
        return await pushImage(embedded.client, 'me/app:1')
      })()
      // Nothing says in this shell where the database is now.
      const anyPort = { OPEN_REGISTRY_HTTP_PORT: '0' }
      const moved = await runCommand(['migrate', '--to', to], {
        cwd,
        env: { OPEN_REGISTRY_DB_PASSWORD: password },
      })
      expect(moved).toMatchObject({
        code: 0,
        stderr: expect.stringContaining('is marked as moved') as string,
      })
      await using live = await runServer({ cwd, env: smallestOn(address) })
      const later = await pushImage(live.client, 'me/app:2')
      for (const args of [
        ['serve'],
        ['gc', '--grace', '0'],
        ['scrub'],
        ['backup', 'saved'],
        ['migrate'],
        ['adopt'],
      ]) {
        const { code, stdout, stderr } = await runCommand(args, { cwd, env: anyPort })
        expect({ code, stdout }, stderr).toEqual({ code: 1, stdout: '' })
        expect(stderr).toContain(`was moved to PostgreSQL at ${host}:${port}, database "${name}"`)
        expect(stderr).toContain('OPEN_REGISTRY_DB_HOST')
        expect(stderr).toContain('openregistry migrate --undo-move')
        expect(stderr).not.toContain(password)
      }
      const doctor = await runCommand(['doctor', '--json'], { cwd, env: anyPort })
      const { checks } = JSON.parse(doctor.stdout) as { checks: Finding[] }
      expect(checks.find(({ check }) => check === 'database')).toMatchObject({ status: 'failed' })
      await expectImage(live, 'me/app', image)

      const asked = await runCommand(['migrate', '--undo-move'], { cwd })
      expect(asked).toMatchObject({ code: 2, stderr: expect.stringContaining('add --yes') as string })
      const undone = await runCommand(['migrate', '--undo-move', '--yes'], { cwd })
      expect(undone).toMatchObject({
        code: 0,
        stderr: expect.stringContaining('openregistry adopt') as string,
      })
      // The blobs are the other database's still.
      const gc = await runCommand(['gc', '--grace', '0'], { cwd })
      expect(gc).toMatchObject({ code: 1, stderr: expect.stringContaining('another one') as string })
      await pushImage(live.client, 'me/app:3')
      expect((await runCommand(['adopt', '--yes'], { cwd })).code).toBe(0)
      expect((await fetch(`${live.server}/readyz`)).status).toBe(503)
      const blob = await fetch(`${live.server}/v2/me/app/blobs/${later.layer.digest}`)
      expect(new Uint8Array(await blob.arrayBuffer())).toEqual(new Uint8Array(later.layer.bytes))
      await expect(pushImage(live.client, 'me/app:4')).rejects.toThrow()
      await using embedded = await runServer({ cwd })
      await expectImage(embedded, 'me/app', image)
      const again = await runCommand(['migrate', '--undo-move', '--yes'], { cwd })
      expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('was not moved') as string })
    }, 60_000)

    test.each([
      ['mysql://a/b', 'such as postgres://'],
      ['postgres://a/b?sslmode=require', 'db.tls'],
      ['nonsense', 'such as postgres://'],
    ])('migrate --to %s is refused', async (to, expected) => {
      await using folder = await temporaryFolder()
      const { code, stderr } = await runCommand(['migrate', '--to', to], { cwd: folder.path })
      expect(code).toBe(2)
      expect(stderr).toContain(expected)
    })
  },
  room,
)
