import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const read = (path: string) => readFileSync(root + path, 'utf8')
const documented: readonly string[] = read('docs/operations.md').match(/(?<=^\| `)openregistry_\w+/gm) ?? []

test('every metric is in docs/operations.md, and nothing else', () => {
  const made = globSync(['packages/*/src/**/*.ts', 'apps/openregistry/src/**/*.ts'], { cwd: root })
    .filter((path) => !path.endsWith('.test.ts'))
    .flatMap((path) => read(path).match(/(?<=')openregistry_\w*[a-z](?=')/g) ?? [])
  expect(documented.toSorted()).toStrictEqual([...new Set(made)].sort())
  expect(documented.length).toBeGreaterThan(15)
})

test('alert rules use only these', () => {
  const used = read('deploy/prometheus/alerts.yaml').match(/openregistry_\w+/g) ?? []
  const names = new Set(used.map((name) => name.replace(/(?<=_seconds)_(?:sum|count|bucket)$/, '')))
  expect([...names].filter((name) => !documented.includes(name))).toStrictEqual([])
  expect(names.size).toBeGreaterThan(5)
})
