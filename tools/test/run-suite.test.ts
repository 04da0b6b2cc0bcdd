import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

const repository = dirname(dirname(import.meta.dirname))
let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'run-suite-'))
  symlinkSync(join(repository, 'node_modules'), join(root, 'node_modules'))
  writeFileSync(
    join(root, 'vitest.config.mjs'),
    "export default { test: { projects: [{ extends: true, test: { name: 'unit' } }] } }",
  )
})

afterEach(() => rmSync(root, { recursive: true }))

const head = "import { afterAll, beforeAll, describe, expect, test } from 'vitest'\n"

/** Runs these test files as the suite of their own folder. */
function run(files: Record<string, string>, options: { ci?: boolean; args?: string[] } = {}) {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), head + text)
  const call = JSON.stringify({ root, args: options.args ?? [], ci: options.ci ?? false })
  const program = `
    import { runSuite } from ${JSON.stringify(join(import.meta.dirname, 'run-suite.ts'))}
    process.exitCode = await runSuite({ ...${call}, write: console.log })`
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    env: { ...process.env, VITEST: undefined, VITEST_WORKER_ID: undefined },
  })
  return { status, stdout, last: stdout.trimEnd().split('\n').at(-1) }
}

test('what passes, fails and is skipped is counted and told', () => {
  const { status, stdout, last } = run({
    'a.test.mjs': `
      test('good', () => expect(1).toBe(1))
      test('bad', () => { console.log('on the way'); expect(1).toBe(2) })
      test('elsewhere', (context) => context.skip('missing peer: podman (apt-get install podman)'))
      test.skip('for nothing', () => {})`,
  })
  expect(last).toBe('1 passed, 1 failed, 2 skipped')
  expect(status).toBe(1)
  expect(stdout).toContain('a.test.mjs > bad')
  expect(stdout).toContain('expected 1 to be 2')
  expect(stdout).toContain('on the way')
  expect(stdout).toContain('1 × missing peer: podman (apt-get install podman)')
  expect(stdout).toContain('1 × no reason given')
})

test('a skip alone leaves the run good, but not in CI', () => {
  const files = {
    'a.test.mjs': `
      test('good', () => expect(1).toBe(1))
      test('elsewhere', (context) => context.skip('missing peer: podman'))`,
  }
  expect(run(files)).toMatchObject({ last: '1 passed, 0 failed, 1 skipped', status: 0 })
  expect(run(files, { ci: true })).toMatchObject({ last: '1 passed, 1 failed, 0 skipped', status: 1 })
})

test('whatever keeps a test from running is a failure', () => {
  const { status, stdout, last } = run({
    'unloadable.test.mjs': "throw new Error('not today')",
    'empty.test.mjs': '',
    'unhandled.test.mjs': "test('x', () => { void Promise.reject(new Error('lost')) })",
    'set-up.test.mjs': `
      describe('d', () => { beforeAll(() => { throw new Error('no ground') }); test('x', () => {}) })`,
    'tear-down.test.mjs': "test('x', () => {}); afterAll(() => { throw new Error('stuck') })",
    'killed.test.mjs': "test('x', () => process.kill(process.pid, 'SIGKILL'))",
    'only.test.mjs': "test.only('x', () => {})",
    'good.test.mjs': "test('good', () => expect(1).toBe(1))",
  })
  const failed = [...stdout.matchAll(/^FAILED \d+\/\d+ {2}(.*)$/gm)].map((match) => match[1] ?? '')
  expect(failed.toSorted()).toEqual([
    'an unhandled error',
    'an unhandled error',
    'empty.test.mjs (outside of its tests)',
    'killed.test.mjs > x',
    'only.test.mjs > x',
    'set-up.test.mjs > d (outside of its tests)',
    'set-up.test.mjs > d > x',
    'tear-down.test.mjs (outside of its tests)',
    'unloadable.test.mjs (outside of its tests)',
  ])
  for (const text of ['not today', 'lost', 'no ground', 'stuck', 'exited unexpectedly']) {
    expect(stdout).toContain(text)
  }
  expect(last).toBe('3 passed, 9 failed, 0 skipped')
  expect(status).toBe(1)
})

test('a run of nothing is a failure', () => {
  expect(run({})).toMatchObject({ status: 1 })
  expect(run({ 'a.test.mjs': "test('x', () => {})" }, { args: ['no-such-file'] })).toMatchObject({
    status: 1,
  })
})
