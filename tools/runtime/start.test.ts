import { spawnSync } from 'node:child_process'
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const checkout = fileURLToPath(new URL('../../', import.meta.url))
const { findRuntime, canRun, runtimePackage } = (await import(
  new URL('locate.mjs', import.meta.url).href
)) as {
  findRuntime(root: string): string
  canRun(version: string): boolean
  runtimePackage(platform?: string, arch?: string): string | null
}

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'start-'))
})
afterEach(() => rm(root, { recursive: true }))

/** A checkout whose main program prints what it was given. */
async function fakeCheckout(options: { dependencies: boolean; runtime: string | null }): Promise<string> {
  await mkdir(join(root, 'bin'))
  await cp(join(checkout, 'bin', 'openregistry'), join(root, 'bin', 'openregistry'))
  await mkdir(join(root, 'apps/openregistry/src'), { recursive: true })
  const main =
    'const pool: string | undefined = process.env.UV_THREADPOOL_SIZE\nconsole.log(JSON.stringify([process.argv.slice(2), process.cwd(), pool]))'
  await writeFile(join(root, 'apps/openregistry/src/main.ts'), main)
  if (options.dependencies) await mkdir(join(root, 'node_modules/commander'), { recursive: true })
  const name = runtimePackage()
  if (options.runtime !== null && name !== null) {
    await mkdir(join(root, 'node_modules', name, 'bin'), { recursive: true })
    await writeFile(join(root, 'node_modules', name, 'bin/node'), `#!/bin/sh\n${options.runtime}\n`)
    await chmod(join(root, 'node_modules', name, 'bin/node'), 0o755)
  }
  return join(root, 'bin', 'openregistry')
}

function run(command: string, args: string[], options: { cwd?: string; env?: Record<string, string> } = {}) {
  const env = { PATH: '/usr/bin:/bin', ...options.env }
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: options.cwd ?? root,
    env,
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

describe('bin/openregistry', () => {
  const runtime = `exec ${process.execPath} "$@"`

  test('runs the sources with the pinned runtime, where it was called, with what it was given', async () => {
    const command = await fakeCheckout({ dependencies: true, runtime })
    expect(JSON.parse(run(command, ['a b', '--c'], { cwd: '/' }).stdout)).toEqual([['a b', '--c'], '/', '16'])
    expect(JSON.parse(run(command, [], { env: { UV_THREADPOOL_SIZE: '4' } }).stdout)).toEqual([
      [],
      expect.anything(),
      '4',
    ])
  })

  test('is found through links, relative and absolute ones', async () => {
    const command = await fakeCheckout({ dependencies: true, runtime })
    await mkdir(join(root, 'elsewhere'))
    await symlink(command, join(root, 'elsewhere', 'absolute'))
    await symlink('../bin/openregistry', join(root, 'elsewhere', 'relative'))
    await symlink('relative', join(root, 'elsewhere', 'twice'))
    for (const name of ['absolute', 'relative', 'twice']) {
      expect(JSON.parse(run(join(root, 'elsewhere', name), ['x'], { cwd: '/tmp' }).stdout)).toEqual([
        ['x'],
        '/tmp',
        '16',
      ])
    }
  })

  test('says what to do when nothing is installed', async () => {
    const { status, stderr } = run(await fakeCheckout({ dependencies: false, runtime }), [])
    expect(status).toBe(1)
    expect(stderr).toContain('npm install --omit=dev')
  })

  test('uses a Node of the machine when there is none of its own, and it is new enough', async () => {
    const command = await fakeCheckout({ dependencies: true, runtime: null })
    const bin = join(root, 'path')
    await mkdir(bin)
    await symlink(process.execPath, join(bin, 'node'))
    expect(run(command, ['x'], { env: { PATH: `${bin}:/usr/bin:/bin` } }).status).toBe(0)
    await rm(join(bin, 'node'))
    await writeFile(join(bin, 'node'), '#!/bin/sh\necho 24.11.9\n')
    await chmod(join(bin, 'node'), 0o755)
    const old = run(command, ['x'], { env: { PATH: `${bin}:/usr/bin:/bin` } })
    expect(old.status).toBe(1)
    expect(old.stderr).toContain('found: 24.11.9')
    expect(old.stderr).toContain(`package ${runtimePackage()}`)
  })
})

describe('the runtime for npm scripts', () => {
  test('is the pinned one if it runs', async () => {
    await fakeCheckout({ dependencies: true, runtime: `exec ${process.execPath} "$@"` })
    expect(findRuntime(root)).toBe(join(root, 'node_modules', runtimePackage() ?? '', 'bin/node'))
  })

  test('else the running one, which is new enough here', async () => {
    await fakeCheckout({ dependencies: true, runtime: 'echo no libatomic >&2; exit 127' })
    expect(findRuntime(root)).toBe(process.execPath)
  })

  test.each([
    ['20.20.2', false],
    ['24.11.1', false],
    ['24.12.0', true],
    ['26.0.0', true],
    ['100.1.0', true],
  ])('Node %s can run TypeScript as it stands: %s', (version, expected) => {
    expect(canRun(version)).toBe(expected)
  })

  test('there is a package for every platform that package.json names, and for no other', async () => {
    const { optionalDependencies } = JSON.parse(await readFile(join(checkout, 'package.json'), 'utf8')) as {
      optionalDependencies: Record<string, string>
    }
    const platforms = ['linux', 'darwin', 'win32'].flatMap((platform) =>
      ['x64', 'arm64', 'riscv64'].map((arch) => runtimePackage(platform, arch)),
    )
    expect(platforms.filter((name) => name !== null).toSorted()).toEqual(
      Object.keys(optionalDependencies).toSorted(),
    )
  })
})
