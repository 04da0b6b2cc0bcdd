import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../../', import.meta.url))

test('every metric is in docs/operations.md, and nothing else', () => {
  const sources = globSync(['packages/*/src/**/*.ts', 'apps/openregistry/src/**/*.ts'], { cwd: root })
    .filter((path) => !path.endsWith('.test.ts'))
    .map((path) => readFileSync(root + path, 'utf8'))
  const made = sources.flatMap((text) => text.match(/(?<=')openregistry_\w*[a-z](?=')/g) ?? [])
  const documented =
    readFileSync(`${root}docs/operations.md`, 'utf8').match(/(?<=^\| `)openregistry_\w+/gm) ?? []
  expect(documented.toSorted()).toStrictEqual([...new Set(made)].sort())
  expect(documented.length).toBeGreaterThan(15)
})
