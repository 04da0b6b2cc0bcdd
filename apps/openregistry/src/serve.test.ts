import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseRepositoryName } from '@openregistry/oci'
import { expect, test, vi } from 'vitest'
import { makeCertificate, makesCertificates } from './testing/make-certificate.ts'
import { pushImage } from './testing/push-image.ts'
import { runCommand } from './testing/run-command.ts'
import { runServer } from './testing/run-server.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s stops it, and nothing is lost', async (signal) => {
  await using folder = await temporaryFolder()
  const first = await runServer({ cwd: folder.path })
  const { digest, layer } = await pushImage(first.client, 'me/app:1')
  expect(await first.stop(signal)).toBe(0)
  expect(first.log.map(({ event }) => event)).toEqual(
    expect.arrayContaining([
      'server_start',
      'open_mode',
      'blob_upload',
      'manifest_push',
      'server_stopping',
      'server_stop',
    ]),
  )

  // The folder can move: nothing in it says where it was.
  await rename(join(folder.path, 'data'), join(folder.path, 'moved'))
  await using second = await runServer({ cwd: folder.path, env: { OPEN_REGISTRY_DATA_DIR: 'moved' } })
  const name = parseRepositoryName('me/app')
  expect((await second.client.oci.getManifest(name, digest)).size).toBeGreaterThan(0)
  const stream = await second.client.oci.getBlob(name, layer.digest)
  expect(Buffer.from(await new Response(stream).arrayBuffer()).equals(layer.bytes)).toBe(true)
})

test('before it stops it tells balancers, and serves on', async () => {
  await using folder = await temporaryFolder()
  const env = { OPEN_REGISTRY_LIMITS_SHUTDOWN_DELAY: '1h' }
  const registry = await runServer({ cwd: folder.path, env })
  const stopped = registry.stop()
  await vi.waitFor(async () => {
    const answer = await fetch(`${registry.server}/readyz`)
    expect([answer.status, await answer.json()]).toStrictEqual([
      503,
      { status: 'draining', checks: { database: 'ok', schema: 'ok', 'backend disk': 'ok' } },
    ])
  }, 20_000)
  expect((await fetch(`${registry.server}/healthz`)).status).toBe(200)
  await pushImage(registry.client, 'me/app:1')
  // Whoever does not want to wait for that says so.
  const again = setInterval(() => process.kill(registry.pid, 'SIGTERM'), 500)
  expect(await stopped).toBe(1)
  clearInterval(again)
})

test('the log is JSON with the names of the contract', async () => {
  await using folder = await temporaryFolder()
  await using registry = await runServer({ cwd: folder.path })
  const { layer } = await pushImage(registry.client, 'me/app:1')
  expect(registry.log.find(({ digest }) => digest === layer.digest)).toMatchObject({
    level: 'info',
    service: 'openregistry',
    event: 'blob_upload',
    repository: 'me/app',
    digest: layer.digest,
    size: layer.bytes.length,
    ipfs_cid: expect.stringMatching(/^baf/) as string,
    request_id: expect.any(String) as string,
    duration_ms: expect.any(Number) as number,
    principal: expect.any(String) as string,
  })
})

test('the database is for its owner alone', async () => {
  await using folder = await temporaryFolder()
  await using _registry = await runServer({ cwd: folder.path })
  const { mode } = await stat(join(folder.path, 'data', 'openregistry.db'))
  expect(mode & 0o077).toBe(0)
})

test.each([
  ['an open network', 'http: {host: 0.0.0.0}', 2, 'may push, pull and delete'],
  ['a missing users file', 'auth: {users_file: none}', 1, 'none: cannot be read'],
  [
    'a users file with a weak password',
    'auth: {users_file: weak}',
    1,
    'weak:1: alice: the password is unsalted SHA-1',
  ],
  ['a missing certificate', 'http: {tls: {cert: none.pem, key: none.pem}}', 1, 'none.pem'],
])('%s stops the start with one clear text', async (_what, yaml, expected, text) => {
  await using folder = await temporaryFolder()
  await writeFile(join(folder.path, 'openregistry.yaml'), yaml)
  await writeFile(join(folder.path, 'weak'), 'alice:{SHA}EfatjsUqKYSrqv18O1FlA3hcIHI=\n')
  const { code, stderr } = await runCommand(['serve'], {
    cwd: folder.path,
    env: { OPEN_REGISTRY_HTTP_PORT: '0' },
  })
  expect(code).toBe(expected)
  expect(stderr).toContain(text)
  expect(stderr).not.toMatch(/\n\s+at /)
})

test('a taken port and a taken folder are named', async () => {
  await using folder = await temporaryFolder()
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const { port } = other.address() as AddressInfo
  const taken = await runCommand(['serve'], {
    cwd: folder.path,
    env: { OPEN_REGISTRY_HTTP_PORT: String(port) },
  })
  other.close()
  expect(taken.code).toBe(1)
  expect(taken.stderr).toContain(`port ${port} on 127.0.0.1 is taken`)

  await using _registry = await runServer({ cwd: folder.path })
  const second = await runCommand(['serve'], { cwd: folder.path, env: { OPEN_REGISTRY_HTTP_PORT: '0' } })
  expect(second.code).toBe(1)
  expect(second.stderr).toContain('Another server is using')
})

test.skipIf(!makesCertificates)('HTTPS, for clients that know the certificate', async () => {
  await using folder = await temporaryFolder()
  const cwd = folder.path
  const { cert, key } = makeCertificate(cwd, 'tls', 'localhost')
  const tls = { OPEN_REGISTRY_HTTP_TLS_CERT: cert, OPEN_REGISTRY_HTTP_TLS_KEY: key }
  await using registry = await runServer({ cwd, env: tls })
  expect(registry.server).toMatch(/^https:/)
  const list = (server: string, env: Record<string, string> = {}) =>
    runCommand(['ls', '--json', '--server', server], { cwd, env })
  const server = `https://localhost:${new URL(registry.server).port}`

  const trusted = await list(server, { NODE_EXTRA_CA_CERTS: cert })
  expect(trusted.stdout).toBe('{"repositories":[]}\n')
  const stranger = await list(server)
  expect(stranger.code).toBe(1)
  expect(stranger.stderr).toMatch(
    /certificate of https:\/\/localhost:\d+ is not trusted[^]*NODE_EXTRA_CA_CERTS/,
  )
})
