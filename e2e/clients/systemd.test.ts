import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { sharedScratch } from '../support/client-test.ts'
import { cleanEnvironment, findProgram } from '../support/environment.ts'
import { freePort } from '../support/free-port.ts'
import { attempt, describe } from '../support/run.ts'
import { Service } from '../support/service.ts'

const root = join(import.meta.dirname, '../..')
const scratch = sharedScratch()

/** The unit as it is where the checkout lies here instead of in /opt/openregistry. */
const unit = readFileSync(join(root, 'deploy/systemd/openregistry.service'), 'utf8').replaceAll(
  '/opt/openregistry',
  root,
)

/** Values of a setting, which may stand there more than once. */
function settings(name: string): string[] {
  return [...unit.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map((match) => match[1] ?? '')
}

test('systemd: the unit passes "systemd-analyze verify"', async (context) => {
  const analyze = findProgram('systemd-analyze')
  if (analyze === null) return context.skip('no systemd-analyze (Debian package systemd)')
  const file = scratch().file('openregistry.service', unit)
  const result = await attempt(analyze, ['verify', file], { env: cleanEnvironment(scratch().path) })
  expect(result.code, describe(['systemd-analyze', 'verify', file], result)).toBe(0)
  // It complains about settings that it does not know without failing.
  expect(result.stderr).not.toContain('openregistry.service')
})

test('systemd: the service may write where docs/operations.md puts the blobs, and has the time to stop', () => {
  const operations = readFileSync(join(root, 'docs/operations.md'), 'utf8')
  const blobs = /OPEN_REGISTRY_DFS_DISK_PATH=(\S+)/.exec(operations)?.[1]
  expect(settings('ProtectSystem')).toEqual(['strict'])
  expect(settings('ReadWritePaths')).toEqual([`-${blobs}`])
  // The supervisor kills what is left after its grace (30 s) and 10 s more; systemd must not be there first.
  expect(Number(settings('TimeoutStopSec')[0]?.replace(/s$/, ''))).toBeGreaterThan(40)
})

test('systemd: the command line of the unit serves, and stops as systemd stops it', async () => {
  const [command = '', ...args] = settings('ExecStart')[0]?.split(' ') ?? []
  const port = await freePort()
  const home = scratch().folder('home')
  const env = Object.fromEntries(settings('Environment').map((one) => one.split('=') as [string, string]))
  expect(env).toMatchObject({ OPEN_REGISTRY_DATA_DIR: '/var/lib/openregistry' })
  const here = {
    OPEN_REGISTRY_DATA_DIR: join(scratch().path, 'data'),
    OPEN_REGISTRY_HTTP_PORT: String(port),
    NODE_COMPILE_CACHE: scratch().folder('cache'),
  }
  const answers = () =>
    fetch(`http://127.0.0.1:${port}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    )
  await using service = await Service.start({
    ...{ name: 'the unit', command, args, cwd: home },
    env: cleanEnvironment(home, { ...env, ...here }),
    logFile: join(scratch().path, 'unit.log'),
    ready: answers,
  })
  expect(await answers()).toBe(true)
  expect(await service.stop()).toBe(0)
})
