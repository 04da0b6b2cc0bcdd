import { spawnSync } from 'node:child_process'
import { chmod, chown, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { describeWithPostgres, type DatabaseAddress, type PostgresCluster } from '@openregistry/testkit'
import { openPostgresMetadataStore } from './open.ts'
import type { PostgresSettings } from './settings.ts'
import { settingsFor } from './test-settings.ts'

/** Node reads certificates but cannot make them. */
const program = 'openssl'
const withoutOpenssl = spawnSync(program, ['version']).status !== 0

/** Makes a certificate for `localhost`, and lets the server use it. */
async function offerTls(cluster: PostgresCluster): Promise<string> {
  const [cert, key] = [join(cluster.folder, 'server.crt'), join(cluster.folder, 'server.key')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const made = spawnSync(program, ['req', '-x509', ...kind, '-keyout', key, '-out', cert, ...subject])
  if (made.status !== 0) throw new Error(made.stderr.toString())
  const owner = await stat(cluster.folder)
  for (const file of [cert, key]) await chown(file, owner.uid, owner.gid)
  await chmod(key, 0o600)
  for (const setting of [`ssl_cert_file = '${cert}'`, `ssl_key_file = '${key}'`, 'ssl = on'])
    await cluster.sql(`ALTER SYSTEM SET ${setting}`)
  await cluster.stop()
  await cluster.start()
  return readFile(cert, 'utf8')
}

describeWithPostgres('TLS', (cluster) => {
  let ca = ''
  let address: DatabaseAddress
  beforeAll(async () => {
    if (withoutOpenssl) return
    ca = await offerTls(cluster())
    address = { ...(await cluster().createDatabase()), host: 'localhost' }
  })

  beforeEach((context) => {
    if (withoutOpenssl) context.skip('missing peer: openssl')
  })

  const open = (tls: PostgresSettings['tls'], host = 'localhost') =>
    openPostgresMetadataStore({
      ...settingsFor({ ...address, host }, { tls, connectTimeout: 2000, poolSize: 2 }),
      autoMigrate: true,
    })

  test.each<[string, PostgresSettings['tls'] | 'ca']>([
    ['with the authority that vouches for it', 'ca'],
    ['with whoever answers', { rejectUnauthorized: false }],
  ])('%s: everything is encrypted', async (_what, tls) => {
    await using store = await open(tls === 'ca' ? { rejectUnauthorized: true, ca } : tls)
    await store.check()
    const encrypted = await cluster().sql(`
      SELECT DISTINCT s.ssl FROM pg_stat_ssl AS s JOIN pg_stat_activity AS a USING (pid)
      WHERE a.application_name = 'openregistry' AND a.datname = '${address.name}'`)
    expect(encrypted).toBe('t')
  })

  test('an authority that nobody knows is refused, and so is another name or address', async () => {
    await expect(open({ rejectUnauthorized: true })).rejects.toThrow(
      /is not trusted .*; check db\.tls and db\.tls_ca/,
    )
    await expect(open({ rejectUnauthorized: true, ca }, '127.0.0.1')).rejects.toThrow(/is not trusted/)
  })
})
