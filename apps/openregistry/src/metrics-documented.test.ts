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

test.each(['deploy/prometheus/alerts.yaml', 'deploy/grafana/openregistry.json'])(
  '%s uses only these',
  (path) => {
    const used = read(path).match(/openregistry_\w+/g) ?? []
    const names = new Set(used.map((name) => name.replace(/(?<=_seconds)_(?:sum|count|bucket)$/, '')))
    // What the runtime says about itself is documented as a group.
    const own = [...names].filter((name) => !name.startsWith('openregistry_process_'))
    expect(own.filter((name) => !documented.includes(name))).toStrictEqual([])
    expect(own.length).toBeGreaterThan(5)
  },
)

test('the board is one', () => {
  const { panels } = JSON.parse(read('deploy/grafana/openregistry.json')) as { panels: { id: number }[] }
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
})
