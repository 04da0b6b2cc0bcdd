import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readEnvironment } from './environment.ts'
import { field, fieldsOf } from './field.ts'
import { interpret } from './interpret.ts'
import { printValues } from './print.ts'
import { integer, listOf, text } from './value-type.ts'
import { readYaml } from './yaml-file.ts'

/** A tree with what the real one does not have yet. */
const tree = {
  db: {
    password: field(text('a password of at least 8 characters', /^.{8,}$/), null, {
      doc: 'Of the user.',
      secret: true,
    }),
  },
  peers: field(listOf(integer(1, 99)), '1,2', { doc: 'Numbers.' }),
}

let cwd: string
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'config-'))
  await writeFile(join(cwd, 'secret'), 'canary-from-file\n')
  await writeFile(join(cwd, 'short'), 'canary')
})
afterAll(() => rm(cwd, { recursive: true }))

async function read(yaml: string, env: Record<string, string> = {}) {
  const file = readYaml(
    yaml,
    'test.yaml',
    tree,
    [...fieldsOf(tree)].map(([key]) => key),
  )
  const variables = readEnvironment(env, tree)
  const { values, problems } = await interpret(tree, [file.values, variables.values], { cwd })
  const all = [...file.problems, ...variables.problems, ...problems]
  return {
    values: values as { db: { password: string | null }; peers: number[] },
    problems: all.map(({ message }) => message),
  }
}

test.each([
  ['in the file', 'db: {password: canary-direct}', {}, 'canary-direct'],
  ['in a file that the file names', 'db: {password_file: secret}', {}, 'canary-from-file'],
  ['in the environment', '', { OPEN_REGISTRY_DB_PASSWORD: 'canary-direct' }, 'canary-direct'],
  [
    'in a file that the environment names',
    '',
    { OPEN_REGISTRY_DB_PASSWORD_FILE: 'secret' },
    'canary-from-file',
  ],
  [
    'in both',
    'db: {password_file: nowhere-else}',
    { OPEN_REGISTRY_DB_PASSWORD: 'canary-direct' },
    'canary-direct',
  ],
])('a secret %s', async (what, yaml, env, secret) => {
  const { values, problems } = await read(yaml, env)
  expect(values.db.password).toBe(secret)
  // The weaker layer is checked, too: a mistake there waits for the day on which the stronger one goes.
  expect(problems).toHaveLength(what === 'in both' ? 1 : 0)
  for (const json of [true, false]) {
    expect(printValues(tree, values, { json })).not.toContain('canary')
    expect(printValues(tree, values, { json })).toContain('********')
  }
})

test.each([
  ['too short', 'db: {password: canary}', 'found a value that is not shown, expected a password of'],
  ['too short in a file', 'db: {password_file: short}', 'found a value that is not shown'],
  ['in a file that is not there', 'db: {password_file: nowhere}', 'cannot be read'],
  ['given twice', 'db: {password_file: secret, password: canary-direct}', 'set twice'],
  ['in a file without a name', 'db: {password_file: }', 'found nothing'],
])('a secret that is %s is a problem, and is not shown', async (_what, yaml, expected) => {
  const { problems } = await read(yaml)
  expect(problems).toHaveLength(1)
  expect(problems[0]).toContain(expected)
  expect(problems[0]).not.toContain('canary')
})

test('only secrets can be in files', async () => {
  expect((await read('peers_file: x')).problems[0]).toContain('unknown key')
})

test.each([
  ['', {}, [1, 2]],
  ['peers: [3, 4]', {}, [3, 4]],
  ['peers:\n  - 5', {}, [5]],
  ['peers: []', {}, []],
  ['peers: 6, 7', {}, [6, 7]],
  ['peers: [3]', { OPEN_REGISTRY_PEERS: '8, 9' }, [8, 9]],
])('the list of %j and %j', async (yaml, env, expected) => {
  const { values, problems } = await read(yaml, env)
  expect(problems).toEqual([])
  expect(values.peers).toEqual(expected)
  expect(
    (await read(printValues(tree, values, { json: false }).replace('********', 'null'))).values.peers,
  ).toEqual(expected)
})

test.each(['peers: [100]', 'peers: [[1]]', 'peers: {a: 1}', 'peers: 1;2'])(
  '%j is no list of numbers',
  async (yaml) => {
    expect((await read(yaml)).problems).toHaveLength(1)
  },
)
