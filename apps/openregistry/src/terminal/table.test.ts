import { expect, test } from 'vitest'
import { table } from './table.ts'

test('columns are as wide as what is in them, titles included', () => {
  const columns = [
    { title: 'NAME', value: ([name]: [string, number]) => name },
    { title: 'N', value: ([, count]: [string, number]) => String(count), align: 'right' as const },
    { title: 'END', value: () => '' },
  ]
  expect(
    table(columns, [
      ['a', 1],
      ['a long name', 1000],
    ]),
  ).toBe('NAME            N  END\na               1\na long name  1000\n')
  expect(table(columns, [])).toBe('NAME  N  END\n')
})
