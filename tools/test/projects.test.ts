import { execFileSync } from 'node:child_process'
import { matchesGlob } from 'node:path'
import { expect, test } from 'vitest'
import { selectTests, testProjects } from './projects.ts'

test('every test file belongs to exactly one project', () => {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.test.ts'])
  const files = listed.toString().trim().split('\n')
  const matches = (path: string, patterns: readonly string[]) =>
    patterns.some((one) => matchesGlob(path, one))
  for (const file of files) {
    const owners = testProjects.filter(
      (one) => one.again === undefined && matches(file, one.include) && !matches(file, one.exclude),
    )
    expect(owners, file).toHaveLength(1)
  }
  expect(files.length).toBeGreaterThan(0)
})

test('arguments name projects or files', () => {
  expect(selectTests([])).toEqual({ projects: [], files: [] })
  expect(selectTests(['unit', 'packages/oci'])).toEqual({ projects: ['unit'], files: ['packages/oci'] })
  expect(selectTests(['e2e', 'clients']).projects).toEqual([
    'conformance',
    'replicas',
    'http2',
    'kubo',
    'stack',
    'private-stack',
    's3',
    'system',
    'clients',
  ])
})
