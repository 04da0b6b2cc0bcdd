import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadConfig, loadConfigWithOrigins } from './load.ts'
import { ConfigError } from './problem.ts'

let cwd: string
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'config-'))
})
afterAll(() => rm(cwd, { recursive: true }))

async function load(yaml: string, env: Record<string, string> = {}) {
  await writeFile(join(cwd, 'test.yaml'), yaml)
  return loadConfig({ file: 'test.yaml', env, cwd })
}

const bootstrap = '/dns/ipfs.example/tcp/4001/p2p/12D3KooWNzSp4xoS4LbQtq1uNaYcJhtdL63TtD78fadCgj9vLEYS'

/** The lines that say what is wrong. */
async function problemsOf(yaml: string, env: Record<string, string> = {}): Promise<string[]> {
  try {
    await load(yaml, env)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n')
    throw error
  }
}

describe('where values come from', () => {
  test('defaults, when there is nothing else', async () => {
    const { config, file } = await loadConfigWithOrigins({ env: {}, cwd })
    expect(file).toBeNull()
    expect(config).toMatchObject({
      data_dir: join(cwd, 'data'),
      http: {
        host: '127.0.0.1',
        port: 5000,
        public_url: null,
        workers: 'auto',
        tls: { cert: null, key: null },
      },
      dfs: { disk: { path: join(cwd, 'data', 'blobs') } },
      auth: { mode: 'open', users_file: null },
      repositories: { default_visibility: 'public' },
      gc: { lease: 86_400_000 },
      limits: { manifest: 4_194_304, blob: 0, shutdown_grace: 30_000 },
      metrics: { listen: null },
    })
  })

  test('the file replaces defaults, the environment replaces the file', async () => {
    const yaml = 'data_dir: from-file\nhttp:\n  port: 1\n  host: localhost\n'
    const config = await load(yaml, { OPEN_REGISTRY_HTTP_PORT: '2', OPEN_REGISTRY_DFS_DISK_PATH: '/blobs/' })
    expect(config.data_dir).toBe(join(cwd, 'from-file'))
    expect(config.http).toMatchObject({ port: 2, host: 'localhost' })
    expect(config.dfs.disk.path).toBe('/blobs/')
  })

  test('openregistry.yaml of the folder is found; --config and OPEN_REGISTRY_CONFIG name others', async () => {
    const folder = await mkdtemp(join(cwd, 'found-'))
    const port = async (file: string | undefined, env: Record<string, string>) =>
      (await loadConfig({ file, env, cwd: folder })).http.port
    expect(await port(undefined, {})).toBe(5000)
    await writeFile(join(folder, 'openregistry.yaml'), 'http: {port: 1}')
    await writeFile(join(folder, 'two.yaml'), 'http: {port: 2}')
    await writeFile(join(folder, 'three.yaml'), 'http: {port: 3}')
    expect(await port(undefined, {})).toBe(1)
    expect(await port(undefined, { OPEN_REGISTRY_CONFIG: 'two.yaml' })).toBe(2)
    expect(await port('three.yaml', { OPEN_REGISTRY_CONFIG: 'two.yaml' })).toBe(3)
    await expect(port('four.yaml', {})).rejects.toThrow('four.yaml:1:1: there is no such file')
  })

  test('a file may be empty, comments alone, or JSON', async () => {
    expect((await load('')).http.port).toBe(5000)
    expect((await load('# nothing\nhttp:\n  # port: 1\n')).http.port).toBe(5000)
    expect((await load('{"http": {"port": 7}, "limits": {"manifest": "5MiB"}}')).http.port).toBe(7)
  })

  test('empty variables, those of clients and those of others do not count', async () => {
    const env = {
      OPEN_REGISTRY_HTTP_PORT: '',
      OPEN_REGISTRY_SERVER: 'x',
      OPEN_REGISTRY_USERNAME: 'x',
      OPEN_REGISTRY_PASSWORD: 'x',
      OPEN_REGISTRY_PASSWORD_FILE: 'x',
      HTTP_PORT: '9',
    }
    expect((await load('', env)).http.port).toBe(5000)
  })
})

test("what Kubernetes says about a service called open-registry is nobody's mistake", async () => {
  const env = {
    OPEN_REGISTRY_SERVICE_HOST: '10.0.0.1',
    OPEN_REGISTRY_SERVICE_PORT: '5000',
    OPEN_REGISTRY_SERVICE_PORT_HTTP: '5000',
    OPEN_REGISTRY_PORT: 'tcp://10.0.0.1:5000',
    OPEN_REGISTRY_PORT_5000_TCP: 'tcp://10.0.0.1:5000',
    OPEN_REGISTRY_PORT_5000_TCP_PROTO: 'tcp',
    OPEN_REGISTRY_PORT_5000_TCP_PORT: '5000',
    OPEN_REGISTRY_PORT_5000_TCP_ADDR: '10.0.0.1',
  }
  expect(await problemsOf('', env)).toEqual([])
  expect(await problemsOf('', { OPEN_REGISTRY_PORT: '5001' })).toEqual([
    'OPEN_REGISTRY_PORT: unknown variable; did you mean OPEN_REGISTRY_HTTP_PORT?',
  ])
})

describe('everything that is wrong is said at once', () => {
  test('with line, column, what was found, what was expected, and what may be meant', async () => {
    const yaml = [
      'port: 5000',
      'http: {prot: 1, port: 99999, workers: 0}',
      'db: {kind: mysql, user: " "}',
      'limits: [1]',
      'log:',
      '  level:',
      '  reads: yes',
      'gc: {lease: 5}',
      'metrics: {listen: "example.org:x"}',
    ].join('\n')
    const env = {
      OPEN_REGISTRY_HTP_PORT: '1',
      OPEN_REGISTRY_AUTH_ISSUER: 'x',
      OPEN_REGISTRY_GC_LEASE: '1w',
    }
    expect(await problemsOf(yaml, env)).toEqual([
      'test.yaml:1:1: port: unknown key; did you mean http.port?',
      'test.yaml:2:8: http.prot: unknown key; did you mean http.port?',
      'test.yaml:2:23: http.port: found "99999", expected a whole number from 0 to 65535',
      'test.yaml:2:39: http.workers: found "0", expected auto or a whole number from 1 to 1024',
      'test.yaml:3:12: db.kind: found "mysql", expected sqlite or postgres',
      'test.yaml:3:25: db.user: found " ", expected the name of a user',
      'test.yaml:4:9: limits: expected keys with values, such as "manifest: …"',
      'test.yaml:6:9: log.level: found nothing, expected debug, info, warn or error',
      'test.yaml:7:10: log.reads: found "yes", expected true or false',
      'test.yaml:8:13: gc.lease: found "5", expected a duration from 1s to 3650d, such as 500ms, 30s, 10m, 24h or 7d',
      'test.yaml:9:19: metrics.listen: found "example.org:x", expected a port, or host:port, such as 9090, 127.0.0.1:9090 or [::1]:9090',
      'OPEN_REGISTRY_HTP_PORT: unknown variable; did you mean OPEN_REGISTRY_HTTP_PORT?',
      'OPEN_REGISTRY_AUTH_ISSUER: not in this release; accounts arrives with a later one',
      'OPEN_REGISTRY_GC_LEASE: gc.lease: found "1w", expected a duration from 1s to 3650d, such as 500ms, 30s, 10m, 24h or 7d',
    ])
  })

  test.each([
    ['a key twice', 'http: {port: 1}\nhttp: {port: 2}', 'test.yaml:2:1: '],
    ['bad YAML', 'http: {port: 1', 'test.yaml:1:15: '],
    ['a tag', 'data_dir: !run x', 'test.yaml:1:11: '],
    ['two documents', 'http: {port: 1}\n---\nhttp: {port: 2}', 'test.yaml:2:1: '],
    ['a list', '- http', 'test.yaml:1:1: expected keys with values'],
    ['text', 'hello', 'test.yaml:1:1: expected keys with values'],
    ['a list for a value', 'http: {port: [1]}', 'test.yaml:1:14: http.port: found a list, expected'],
    ['keys for a value', 'data_dir: {path: x}', 'test.yaml:1:11: data_dir: found keys below it, expected'],
    ['a key of every object', '__proto__: 1', 'test.yaml:1:1: __proto__: unknown key'],
    ['another key of every object', 'constructor: {port: 1}', 'test.yaml:1:1: constructor: unknown key'],
    ['a number that is none', 'http: {port: 0x10}', 'found "0x10"'],
    ['a number with a sign', 'http: {port: -1}', 'found "-1"'],
    ['nothing for a path', 'data_dir: ""', 'found ""'],
    ['a URL with a path', 'http: {public_url: "https://a.example/x"}', 'expected https://a.example alone'],
    [
      'a URL with a password',
      'http: {public_url: "https://u:p@a.example"}',
      'expected https://a.example alone',
    ],
    ['another scheme', 'http: {public_url: "ftp://a.example"}', 'expected an address such as'],
    ['a key of later', 'auth: {issuer: x}', 'auth.issuer: not in this release; accounts'],
    [
      'an address of a node without its peer ID',
      'ipfs: {bootstrap: [/ip4/8.8.8.8/tcp/1]}',
      'the address of a node',
    ],
    [
      'an address of a node by UDP',
      'ipfs: {bootstrap: /ip4/8.8.8.8/udp/1/quic-v1/p2p/12D3KooWNzSp4xoS4LbQtq1uNaYcJhtdL63TtD78fadCgj9vLEYS}',
      'the address of a node',
    ],
    [
      'an address of a node at a port that is none',
      `ipfs: {bootstrap: ${bootstrap.replace('4001', '65536')}}`,
      'the address of a node',
    ],
    [
      'an address of a node at an IP address that is none',
      `ipfs: {bootstrap: ${bootstrap.replace('dns/ipfs.example', 'ip4/8.8.8.256')}}`,
      'the address of a node',
    ],
    [
      'an address of a node whose peer ID is none',
      `ipfs: {bootstrap: ${bootstrap.replace('12D3', '1111')}}`,
      'the address of a node',
    ],
  ])('%s', async (_what, yaml, expected) => {
    const problems = await problemsOf(yaml)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(expected)
  })
})

describe('what keys mean together', () => {
  test.each([
    ['an open network', 'http: {host: 0.0.0.0}', 'test.yaml:1:14: http.host: in open mode everybody'],
    ['a name that may be anything', 'http: {host: registry.example}', 'http.host: in open mode everybody'],
    ['required without users', 'auth: {mode: required}', 'auth.mode: nobody could log in'],
    ['open with users', 'auth: {mode: open, users_file: x}', 'auth.mode: open mode asks nobody'],
    ['a certificate alone', 'http: {tls: {cert: x}}', 'http.tls.cert: a certificate needs its key'],
    ['a key alone', 'http: {tls: {key: x}}', 'http.tls.key: a key needs its certificate'],
    [
      'a name where a node is to listen',
      'ipfs: {node: true, listen: "a.example:4001"}',
      'ipfs.listen: a.example is a name',
    ],
    [
      'announcements without a node',
      `{http: {public_url: "https://a.example"}, ipfs: {announce: true, bootstrap: ${bootstrap}}}`,
      'ipfs.announce: there is nobody to fetch from without the node',
    ],
    [
      'announcements to nobody',
      '{http: {public_url: "https://a.example"}, ipfs: {announce: true, node: true}}',
      'ipfs.announce: nobody is known to tell it to',
    ],
    [
      'announcements of a node that is nowhere',
      `ipfs: {announce: true, node: true, bootstrap: ${bootstrap}}`,
      'ipfs.announce: nobody would know where the node is',
    ],
    [
      'a node at the port of HTTP',
      'ipfs: {node: true, listen: ["[::]:5000"]}',
      'ipfs.listen: port 5000 is that of HTTP',
    ],
    [
      'a node at the port of the metrics',
      '{ipfs: {node: true}, metrics: {listen: "4001"}}',
      'ipfs.listen: port 4001 is that of HTTP',
    ],
    [
      'a node at any port beside PostgreSQL',
      '{db: {host: a}, ipfs: {node: true, listen: "0"}}',
      'ipfs.listen: with PostgreSQL the node needs a port',
    ],
    ['workers on SQLite', 'http: {workers: 2}', 'http.workers: SQLite has one serving process'],
    [
      'a target longer than all headers',
      'limits: {uri: 1MiB}',
      'limits.uri: larger than limits.request_headers',
    ],
  ])('%s is refused', async (_what, yaml, expected) => {
    const problems = await problemsOf(yaml)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(expected)
  })

  test.each(['127.0.0.1', '127.8.9.10', '::1', 'localhost', '0:0:0:0:0:0:0:1'])(
    '%s is only here',
    async (host) => {
      expect(await problemsOf(`http: {host: "${host}"}`)).toEqual([])
    },
  )

  test('an open network can be meant', async () => {
    expect(await problemsOf('http: {host: "::"}\nauth: {allow_open_network: true}')).toEqual([])
  })

  test('a users file means required mode, private repositories, and any address', async () => {
    const config = await load('http: {host: 0.0.0.0}', { OPEN_REGISTRY_AUTH_USERS_FILE: 'users' })
    expect(config.auth).toMatchObject({ mode: 'required', users_file: join(cwd, 'users') })
    expect(config.repositories.default_visibility).toBe('private')
  })

  test('what is set is not derived', async () => {
    const config = await load(
      'repositories: {default_visibility: private}\ndata_dir: a\ndfs: {disk: {path: b}}',
    )
    expect(config.repositories.default_visibility).toBe('private')
    expect(config.dfs.disk.path).toBe(join(cwd, 'b'))
  })
})

describe('db', () => {
  test('a host alone means PostgreSQL', async () => {
    expect((await load('')).db.kind).toBe('sqlite')
    expect((await load('', { OPEN_REGISTRY_DB_HOST: 'db.example' })).db).toMatchObject({
      kind: 'postgres',
      host: 'db.example',
      port: 5432,
      name: 'openregistry',
      tls: 'off',
    })
    expect((await load('db: {host: /run/postgresql}')).db.kind).toBe('postgres')
  })

  test.each([
    ['db: {kind: postgres}', 'db.kind: nobody said where PostgreSQL is'],
    ['db: {kind: sqlite, host: x}', 'db.kind: SQLite has no host'],
    ['db: {host: x, tls_ca: ca.pem}', 'db.tls_ca: not looked at while db.tls is off'],
  ])('%s is refused', async (yaml, expected) => {
    const problems = await problemsOf(yaml)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(expected)
  })
})
