import { readFile, writeFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readEnvironment } from './environment.ts'
import { fieldsOf } from './field.ts'
import { interpret } from './interpret.ts'
import { printConfig, printExample, printReference } from './print.ts'
import { applyRules } from './rules.ts'
import { tree, type Config } from './tree.ts'
import { readYaml } from './yaml-file.ts'

const keys = [...fieldsOf(tree)].map(([key]) => key)

async function configOf(yaml: string): Promise<Config> {
  const { values, problems } = readYaml(yaml, 'test.yaml', tree, keys)
  const read = await interpret(tree, [values], { cwd: '/work' })
  expect([...problems, ...read.problems]).toEqual([])
  return applyRules(read.values as Config, read.origins).config
}

describe('what is printed', () => {
  test('can be loaded again and means the same, as YAML and as JSON', async () => {
    const folder = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => !text.includes('\0'))
    await fc.assert(
      fc.asyncProperty(
        folder,
        fc.constantFrom('127.0.0.1', '::', '::1', 'a.example'),
        fc.nat(65535),
        async (path, host, port) => {
          const given = JSON.stringify({
            data_dir: `/${path}`,
            http: { host, port },
            metrics: { listen: `[::1]:${port}` },
          })
          const config = await configOf(given)
          for (const json of [true, false])
            expect(await configOf(printConfig(config, { json }))).toEqual(config)
        },
      ),
      { numRuns: 50 },
    )
  })

  test('has every key, in JSON with its own types', async () => {
    const printed = JSON.parse(printConfig(await configOf(''), { json: true })) as Config
    expect(
      [...fieldsOf(tree)].every(
        ([key]) =>
          key
            .split('.')
            .reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], printed) !==
          undefined,
      ),
    ).toBe(true)
    expect(printed.http).toMatchObject({ port: 5000, public_url: null, workers: 'auto' })
    expect(printed.limits).toMatchObject({ manifest: '4MiB', idle_timeout: '60s', page: 1000 })
    expect(printed.log.reads).toBe(false)
  })
})

test('every key can be set by a variable', async () => {
  const env = Object.fromEntries(
    keys.map((key) => [`OPEN_REGISTRY_${key.replaceAll('.', '_').toUpperCase()}`, 'x']),
  )
  const { values, problems } = readEnvironment(env, tree)
  expect(problems).toEqual([])
  expect(values.map(({ key }) => key).toSorted()).toEqual(keys.toSorted())
})

describe('documents that are made from the keys (UPDATE_DOCS=1 writes them anew)', () => {
  const root = new URL('../../../../', import.meta.url)

  test('openregistry.example.yaml', async () => {
    await expectFile(new URL('openregistry.example.yaml', root), printExample(tree))
  })

  test('the example is what the defaults are, once its comments are taken off', async () => {
    const lines = printExample(tree).split('\n')
    const active = lines.filter((line) => /^#(?: {2})*[a-z0-9_]+:/.test(line)).map((line) => line.slice(1))
    const example = active.join('\n')
    expect(await configOf(example)).toEqual(await configOf(''))
    expect(example.split('\n').filter((line) => /: \S/.test(line))).toHaveLength(keys.length)
  })

  test('the reference in docs/configuration.md', async () => {
    const file = new URL('docs/configuration.md', root)
    const text = await readFile(file, 'utf8')
    const [before, after] = text.split(/(?<=<!-- keys -->\n)[^]*(?=<!-- \/keys -->)/)
    await expectFile(file, `${before}\n${printReference(tree)}\n${after}`)
  })

  async function expectFile(file: URL, expected: string): Promise<void> {
    if (process.env['UPDATE_DOCS']) await writeFile(file, expected)
    expect(await readFile(file, 'utf8')).toBe(expected)
  }
})
