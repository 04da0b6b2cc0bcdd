import { expect, test } from 'vitest'
import { parseAb } from './ab.ts'

const report = (complete: number, failed: number): string =>
  `Time taken for tests:   2.000 seconds\nComplete requests:      ${complete}\nFailed requests:        ${failed}\n`
const table = 'Percentage served,Time in ms\n0,0.2\n50,0.825\n99,3.5\n'

test('parseAb reads requests, seconds and percentiles', () => {
  expect(parseAb(report(1000, 0), table)).toEqual({ seconds: 2, operations: 1000, p50: 0.825, p99: 3.5 })
})

test('parseAb refuses failures and a run that did not finish', () => {
  expect(() => parseAb(report(1000, 3), table)).toThrow('3 of 1000')
  expect(() => parseAb(`${report(1000, 0)}Non-2xx responses:      7\n`, table)).toThrow('7 of 1000')
  expect(() => parseAb('apr_socket_recv: Connection refused', table)).toThrow('did not finish')
})
