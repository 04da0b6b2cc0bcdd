import { expect, test } from 'vitest'
import { parseOptions } from './options.ts'

test('everything has a default', () => {
  const options = parseOptions([])
  expect(options).toMatchObject({ repeat: 3, quick: false, json: null, out: null })
  expect(options?.peers).toContain('openregistry-pg-2')
  expect(options?.peers).not.toContain('bare')
  expect(options?.rows).toContain('push-32')
})

test('rows and peers are lists, a quick run takes one turn unless told', () => {
  const options = parseOptions(['--quick', '--rows', 'push,start', '--peers', 'zot, bare'])
  expect(options?.rows).toEqual(new Set(['push', 'start']))
  expect(options?.peers).toEqual(['zot', 'bare'])
  expect(options?.repeat).toBe(1)
  expect(parseOptions(['--quick', '--repeat', '5'])?.repeat).toBe(5)
})

test('a quick run takes fewer rows and peers unless told', () => {
  const [quick, full] = [parseOptions(['--quick']), parseOptions([])]
  expect(quick?.rows.size).toBeLessThan(full?.rows.size ?? 0)
  expect(quick?.peers.length).toBeLessThan(full?.peers.length ?? 0)
})

test('help is asked for', () => {
  expect(parseOptions(['--help'])).toBeNull()
})

test.each([
  [['--rows', 'nothing'], 'none of manifest-tag, '],
  [['--peers', 'docker-hub'], 'none of openregistry, '],
  [['--repeat', '0'], 'whole number'],
  [['--repeat', 'many'], 'whole number'],
  [['--faster'], '--faster'],
])('%j is refused', (args, words) => {
  expect(() => parseOptions(args)).toThrow(words)
})
