import { chmod, mkdir, utimes, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Finding } from './doctor/finding.ts'
import { pushImage } from './testing/push-image.ts'
import { runCommand } from './testing/run-command.ts'
import { runServer } from './testing/run-server.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

async function examine(cwd: string, env: Record<string, string> = {}) {
  const { code, stdout } = await runCommand(['doctor', '--json'], {
    cwd,
    env: { OPEN_REGISTRY_HTTP_PORT: '0', ...env },
  })
  const { checks } = JSON.parse(stdout) as { checks: Finding[] }
  const of = (name: string) => checks.filter(({ check }) => check === name)
  return { code, checks, of }
}

test('a fresh folder is ready, and stays as it is', async () => {
  await using folder = await temporaryFolder()
  const { code, checks, of } = await examine(folder.path)
  expect(code).toBe(0)
  expect(checks.filter(({ status }) => status === 'failed')).toEqual([])
  expect(of('data folder')[0]?.message).toContain('will be created')
  expect(of('disk')[0]?.message).toMatch(/a durable write takes [\d.]+ ms/)
  const text = await runCommand(['doctor'], { cwd: folder.path, env: { OPEN_REGISTRY_HTTP_PORT: '0' } })
  expect(text.stdout).toMatch(/^ok {4}runtime +Node /)
  expect(text.stdout).toContain('Ready to serve')
})

test('beside a live server', async () => {
  await using folder = await temporaryFolder()
  await using registry = await runServer({ cwd: folder.path })
  const { code, of } = await examine(folder.path, { OPEN_REGISTRY_HTTP_PORT: new URL(registry.server).port })
  expect(code).toBe(0)
  expect(of('port')[0]).toMatchObject({
    status: 'ok',
    message: expect.stringContaining('a registry answers') as string,
  })
  expect(of('database')[0]?.message).toMatch(/schema \d+, 0 open uploads/)
})

test('private content in a folder that everybody can read', async () => {
  await using folder = await temporaryFolder()
  {
    const env = { OPEN_REGISTRY_REPOSITORIES_DEFAULT_VISIBILITY: 'private' }
    await using registry = await runServer({ cwd: folder.path, env })
    await pushImage(registry.client, 'me/app:1')
  }
  expect((await examine(folder.path)).of('placement')).toEqual([])
  const { code, of } = await examine(folder.path, { OPEN_REGISTRY_DFS_DISK_PUBLIC: 'true' })
  expect(code).toBe(1)
  expect(of('placement')).toMatchObject([
    { status: 'failed', message: expect.stringContaining('me/app (disk)') as string },
  ])
})

test('a server that has to run, and does or does not', async () => {
  await using folder = await temporaryFolder()
  const ask = async (port: string) => {
    const env = { OPEN_REGISTRY_HTTP_PORT: port }
    const { code, stdout } = await runCommand(['doctor', '--running', '--json'], { cwd: folder.path, env })
    const { checks } = JSON.parse(stdout) as { checks: Finding[] }
    return { code, port: checks.find(({ check }) => check === 'port') }
  }
  let port: string
  {
    await using registry = await runServer({ cwd: folder.path })
    port = new URL(registry.server).port
    expect(await ask(port)).toMatchObject({ code: 0, port: { status: 'ok' } })
  }
  expect(await ask(port)).toMatchObject({ code: 1, port: { status: 'failed' } })
})

describe('a port that another program has', () => {
  async function examineBeside(answer: (server: Server) => Server): Promise<Finding | undefined> {
    await using folder = await temporaryFolder()
    const other = answer(createServer())
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as AddressInfo
    const { code, of } = await examine(folder.path, { OPEN_REGISTRY_HTTP_PORT: String(port) })
    other.closeAllConnections()
    other.close()
    expect(code).toBe(1)
    return of('port')[0]
  }

  test('which speaks HTTP', async () => {
    const finding = await examineBeside((server) =>
      server.on('request', (_request, response) => response.end('hello')),
    )
    expect(finding?.message).toContain('taken by another program, which speaks HTTP')
    expect(finding?.advice).toContain('OPEN_REGISTRY_HTTP_PORT=5001')
  })

  test('AirPlay Receiver of macOS', async () => {
    const finding = await examineBeside((server) =>
      server.on('request', (_request, response) =>
        response.writeHead(403, { Server: 'AirTunes/870.14.1' }).end(),
      ),
    )
    expect(finding?.advice).toContain('AirPlay Receiver')
  })

  test('which hangs up', async () => {
    const finding = await examineBeside((server) => server.on('connection', (socket) => socket.destroy()))
    expect(finding?.message).toContain('taken by another program')
  })
})

describe('what would keep a registry from starting fails, with what to do', () => {
  test('mistakes of the configuration', async () => {
    await using folder = await temporaryFolder()
    await writeFile(join(folder.path, 'openregistry.yaml'), 'http: {prot: 1}\nauth: {mode: shut}\n')
    const { code, of } = await examine(folder.path)
    expect(code).toBe(1)
    expect(of('configuration').map(({ status }) => status)).toEqual(['failed', 'failed'])
  })

  test('a file where the folder should be', async () => {
    await using folder = await temporaryFolder()
    await writeFile(join(folder.path, 'data'), '')
    const { code, of } = await examine(folder.path)
    expect(code).toBe(1)
    expect(of('data folder')[0]).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('is a file') as string,
    })
  })

  test('a folder that cannot be written', async (context) => {
    if (process.getuid?.() === 0) return context.skip('root may write everywhere')
    await using folder = await temporaryFolder()
    await mkdir(join(folder.path, 'data'), { mode: 0o500 })
    expect((await examine(folder.path)).of('data folder')[0]?.message).toContain('cannot be written')
  })

  test('a database that is none', async () => {
    await using folder = await temporaryFolder()
    await mkdir(join(folder.path, 'data'))
    await writeFile(
      join(folder.path, 'data', 'openregistry.db'),
      'no database at all, but long enough to be looked at',
    )
    const { code, of } = await examine(folder.path)
    expect(code).toBe(1)
    expect(of('database')[0]?.status).toBe('failed')
  })

  test('a database from the future', async () => {
    await using folder = await temporaryFolder()
    await (await runServer({ cwd: folder.path })).stop()
    const tomorrow = new Date(Date.now() + 24 * 3600_000)
    await utimes(join(folder.path, 'data', 'openregistry.db'), tomorrow, tomorrow)
    const { code, of } = await examine(folder.path)
    expect(code).toBe(1)
    expect(of('clock')[0]?.message).toContain('but the database was written at')
  })

  test('users, one line for each mistake', async () => {
    await using folder = await temporaryFolder()
    await writeFile(join(folder.path, 'users'), 'a:x\nb:y\n')
    const { code, of } = await examine(folder.path, { OPEN_REGISTRY_AUTH_USERS_FILE: 'users' })
    expect(code).toBe(1)
    expect(of('users').map(({ message }) => message.split('users:')[1]?.split(':')[0])).toEqual(['1', '2'])
  })
})

test('what works but is not safe is a warning', async () => {
  await using folder = await temporaryFolder()
  await mkdir(join(folder.path, 'data'))
  await chmod(join(folder.path, 'data'), 0o777)
  await writeFile(join(folder.path, 'users'), '', { mode: 0o644 })
  const { code, checks } = await examine(folder.path, { OPEN_REGISTRY_AUTH_USERS_FILE: 'users' })
  expect(code).toBe(0)
  const warnings = checks.filter(({ status }) => status === 'warning').map(({ message }) => message)
  expect(warnings.join('\n')).toMatch(/every user of this machine may change .*data/)
  expect(warnings.join('\n')).toMatch(/has no users, so nobody may push/)
  expect(warnings.join('\n')).toMatch(/every user of this machine may read .*users/)
})
