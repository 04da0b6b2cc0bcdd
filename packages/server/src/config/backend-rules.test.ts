import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadConfig } from './load.ts'
import { printConfig } from './print.ts'
import { ConfigError } from './problem.ts'
import { readEnvironment } from './environment.ts'
import { fieldsOf } from './field.ts'
import { interpret } from './interpret.ts'
import { applyRules } from './rules.ts'
import { tree, type Config } from './tree.ts'
import { readYaml } from './yaml-file.ts'

const cwd = '/work'
const prefix = 'OPEN_REGISTRY_'

/** A configuration from variables of the environment, named without their beginning. */
function load(env: Record<string, string>): Promise<Config> {
  const variables = Object.entries(env).map(([name, value]) => [prefix + name, value])
  return loadConfig({ env: Object.fromEntries(variables) as Record<string, string>, cwd })
}

async function problemsOf(env: Record<string, string>): Promise<string[]> {
  try {
    await load(env)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(({ key, message }) => `${key}: ${message}`)
  }
}

const keys = { DFS_S3_ACCESS_KEY: 'a', DFS_S3_SECRET_KEY: 'b' }
const bucket = { DFS_S3_BUCKET: 'blobs', ...keys }
const postgres = { DB_HOST: 'db.example' }

describe('the disk', () => {
  test.each<[string, Record<string, string>, string | null]>([
    ['with SQLite', {}, 'data/blobs'],
    ['with SQLite, new blobs elsewhere', { DFS_DEFAULT: 's3', ...bucket }, 'data/blobs'],
    ['with PostgreSQL', postgres, 'data/blobs'],
    ['with PostgreSQL, new blobs elsewhere', { ...postgres, DFS_DEFAULT: 's3', ...bucket }, null],
    [
      'with PostgreSQL, new blobs elsewhere, and a folder',
      { ...postgres, DFS_DEFAULT: 's3', ...bucket, DFS_DISK_PATH: '/srv/blobs' },
      '/srv/blobs',
    ],
  ])('%s', async (_what, env, expected) => {
    const config = await load(env)
    expect(config.dfs.disk.path).toBe(
      expected === null ? null : expected.startsWith('/') ? expected : join(cwd, expected),
    )
  })

  test('that is not there is printed as nothing, and read again as that', async () => {
    const config = await load({ ...postgres, DFS_DEFAULT: 's3', ...bucket })
    const printed = printConfig(config, { json: false })
    expect(printed).toContain('path: null')
    const allKeys = [...fieldsOf(tree)].map(([key]) => key)
    const { values, origins, problems } = await interpret(
      tree,
      [readYaml(printed, 'x', tree, allKeys).values],
      { cwd },
    )
    expect(problems).toEqual([])
    expect(applyRules(values as Config, origins).config.dfs.disk.path).toBeNull()
  })
})

describe('the backend of new blobs', () => {
  const kubo = { DFS_IPFS_API_URL: 'http://127.0.0.1:5001' }
  test.each<[string, Record<string, string>, string]>([
    ['of itself', {}, 'disk'],
    ['with the API of Kubo', kubo, 'kubo'],
    ['with the API of Kubo, and something else said', { ...kubo, DFS_DEFAULT: 'disk' }, 'disk'],
    ['with a bucket', bucket, 'disk'],
    [
      'with the API of a cluster',
      { DFS_CLUSTER_API_URL: 'http://10.0.0.1:9094', DFS_CLUSTER_GATEWAY_URL: 'http://10.0.0.1:8080' },
      'disk',
    ],
  ])('%s', async (_what, env, expected) => {
    expect((await load(env)).dfs.default).toBe(expected)
  })

  test('is all that is needed for servers that share Kubo and PostgreSQL', async () => {
    const { dfs, db } = await load({ ...postgres, ...kubo })
    expect(db.kind).toBe('postgres')
    expect(dfs).toMatchObject({ default: 'kubo', disk: { path: null } })
    expect(dfs.ipfs).toMatchObject({ public: true, gateway_url: null, name: 'openregistry', timeout: 30_000 })
  })
})

describe('what goes where', () => {
  test('is said for namespaces and copies, and brings the disk about where it is needed', async () => {
    const elsewhere = { ...postgres, ...bucket, DFS_DEFAULT: 's3' }
    expect((await load(elsewhere)).dfs).toMatchObject({ namespaces: null, replicas: null })
    const { dfs } = await load({ ...elsewhere, DFS_NAMESPACES: 'acme = disk,me=s3' })
    expect(dfs.namespaces).toEqual({ acme: 'disk', me: 's3' })
    expect(dfs.disk.path).toBe(join(cwd, 'data/blobs'))
    const copied = await load({ ...elsewhere, DFS_REPLICAS: 'disk' })
    expect(copied.dfs).toMatchObject({ replicas: ['disk'], disk: { path: join(cwd, 'data/blobs') } })
  })

  test('is read from a file and printed as it stands there', async () => {
    const yaml =
      'dfs: { namespaces: { acme: s3, 1.5: disk, true: disk }, replicas: [s3], s3: { bucket: blobs } }'
    const { values } = readYaml(
      yaml,
      'x',
      tree,
      [...fieldsOf(tree)].map(([key]) => key),
    )
    const layers = [values, readEnvironment({ OPEN_REGISTRY_DFS_S3_ACCESS_KEY: 'a' }, tree).values]
    const read = await interpret(tree, layers, { cwd })
    expect(read.problems).toEqual([])
    const { config } = applyRules(read.values as Config, read.origins)
    expect(config.dfs).toMatchObject({
      namespaces: { acme: 's3', '1.5': 'disk', true: 'disk' },
      replicas: ['s3'],
    })
    expect(printConfig(config, { json: false })).toContain('namespaces: { acme: s3, 1.5: disk, true: disk }')
    expect(JSON.parse(printConfig(config, { json: true }))).toMatchObject({
      dfs: { namespaces: { acme: 's3', '1.5': 'disk', true: 'disk' }, replicas: ['s3'] },
    })
  })
})

describe('a backend that speaks S3', () => {
  test('is Amazon with the bucket in the host name, unless an endpoint is named', async () => {
    expect((await load({ ...bucket, DFS_S3_REGION: 'eu-central-1' })).dfs.s3).toMatchObject({
      endpoint: 'https://s3.eu-central-1.amazonaws.com',
      path_style: false,
    })
    const endpoint = 'http://127.0.0.1:7070'
    expect((await load({ ...bucket, DFS_S3_ENDPOINT: endpoint })).dfs.s3).toMatchObject({
      endpoint,
      path_style: true,
    })
    const said = await load({ ...bucket, DFS_S3_ENDPOINT: endpoint, DFS_S3_PATH_STYLE: 'false' })
    expect(said.dfs.s3.path_style).toBe(false)
  })

  test('has defaults of its own where the service asks for them', async () => {
    const { storj, filebase, s3 } = (await load({})).dfs
    expect(storj).toMatchObject({ part_size: 64 * 2 ** 20, public: false, bucket: null })
    expect(filebase).toMatchObject({ part_size: 8 * 2 ** 20, public: true, path_style: true })
    expect(s3).toMatchObject({ part_size: 8 * 2 ** 20, public: false })
  })

  test('its keys are secrets, each of which can be in a file', async () => {
    const config = await load({
      ...bucket,
      DFS_S3_ACCESS_KEY: 'canary-access',
      DFS_S3_SECRET_KEY: 'canary-secret',
    })
    for (const json of [true, false]) expect(printConfig(config, { json })).not.toContain('canary')
    expect(
      await problemsOf({
        DFS_S3_BUCKET: 'blobs',
        DFS_S3_ACCESS_KEY: 'a',
        DFS_S3_SECRET_KEY_FILE: '/nowhere',
      }),
    ).toEqual([expect.stringContaining('/nowhere cannot be read')])
  })
})

test.each<[string, Record<string, string>, string]>([
  [
    'a default without a place',
    { DFS_DEFAULT: 's3' },
    'dfs.default: nobody said where that is; set dfs.s3.bucket',
  ],
  ['a default without a place', { DFS_DEFAULT: 'storj', ...bucket }, 'set dfs.storj.bucket'],
  [
    'a bucket without an access key',
    { DFS_S3_BUCKET: 'b-1', DFS_S3_SECRET_KEY: 'x' },
    'set dfs.s3.access_key or',
  ],
  [
    'a bucket without a secret key',
    { DFS_S3_BUCKET: 'b-1', DFS_S3_ACCESS_KEY: 'x' },
    'set dfs.s3.secret_key or',
  ],
  ['a Kubo node without an address', { DFS_DEFAULT: 'kubo' }, 'set dfs.ipfs.api_url'],
  ['a cluster without an address', { DFS_DEFAULT: 'cluster' }, 'set dfs.cluster.api_url'],
  [
    'a cluster without a gateway',
    { DFS_CLUSTER_API_URL: 'http://10.0.0.1:9094' },
    'dfs.cluster.api_url: blobs are read through the gateway of a node; set dfs.cluster.gateway_url',
  ],
  [
    'more copies at once than at all',
    { DFS_CLUSTER_REPLICATION_MIN: '3', DFS_CLUSTER_REPLICATION_MAX: '2' },
    'dfs.cluster.replication_min: larger than dfs.cluster.replication_max',
  ],
  ['a portal without an address', { DFS_DEFAULT: 'skynet' }, 'set dfs.skynet.portal_url'],
  [
    'a portal without a secret',
    { DFS_SKYNET_PORTAL_URL: 'https://portal.example' },
    'dfs.skynet.portal_url: objects are found by entries that are signed; set dfs.skynet.secret or',
  ],
  [
    'a short secret',
    { DFS_SKYNET_SECRET: 'too short' },
    'dfs.skynet.secret: found a value that is not shown',
  ],
  ['a name with a slash', { DFS_IPFS_NAME: 'a/b' }, 'dfs.ipfs.name: found "a/b"'],
  [
    'credentials in an address',
    { DFS_IPFS_API_URL: 'http://user:canary@kubo:5001' },
    'http://kubo:5001 alone',
  ],
  [
    'a namespace elsewhere than anywhere',
    { DFS_NAMESPACES: 'acme=s3' },
    'where s3, for acme, is; set dfs.s3.bucket',
  ],
  [
    'a copy nowhere',
    { DFS_REPLICAS: 'storj' },
    'dfs.replicas: nobody said where storj is; set dfs.storj.bucket',
  ],
  ['two copies in one place', { ...bucket, DFS_REPLICAS: 's3, s3' }, 's3 is there twice'],
  ['a namespace with two', { DFS_NAMESPACES: 'acme=disk, acme=disk' }, 'expected acme once'],
  [
    'a repository for a namespace',
    { DFS_NAMESPACES: 'acme/app=disk' },
    'the first component of a repository name',
  ],
  ['a namespace without a backend', { DFS_NAMESPACES: 'acme' }, 'dfs.namespaces: found "acme", expected'],
  [
    'an unknown backend',
    { DFS_NAMESPACES: 'acme=gcs' },
    'each entry a namespace with disk, kubo, cluster, s3, storj, filebase or skynet',
  ],
  ['small parts', { ...bucket, DFS_S3_PART_SIZE: '4MiB' }, 'dfs.s3.part_size: found "4MiB"'],
  [
    'an endpoint with a path',
    { ...bucket, DFS_S3_ENDPOINT: 'https://a.example/b' },
    'expected https://a.example alone',
  ],
  ['a prefix that begins with a slash', { ...bucket, DFS_S3_PREFIX: '/x' }, 'dfs.s3.prefix: found "/x"'],
  [
    'two backends in one place',
    {
      ...bucket,
      DFS_S3_ENDPOINT: 'https://gateway.storjshare.io',
      DFS_S3_PREFIX: 'x/',
      DFS_STORJ_BUCKET: 'blobs',
      DFS_STORJ_ACCESS_KEY: 'a',
      DFS_STORJ_SECRET_KEY: 'b',
      DFS_STORJ_PREFIX: 'x',
    },
    'dfs.storj.bucket: dfs.s3 is the same place',
  ],
])('%s is refused', async (_what, env, expected) => {
  const problems = await problemsOf(env)
  expect(problems).toHaveLength(1)
  expect(problems[0]).toContain(expected)
})
