import { expect, test } from 'vitest'
import { parseWrk } from './wrk.ts'

const report = 'Running 5s test @ http://127.0.0.1:1/\n  1 threads and 32 connections\nRequests/sec: 1\n'

test('parseWrk reads the line after the report, in seconds and milliseconds', () => {
  const line = '{"requests":1000,"duration":5000000,"p50":1500,"p99":9000,"failures":0}\n'
  expect(parseWrk(report + line)).toEqual({ seconds: 5, operations: 1000, p50: 1.5, p99: 9 })
})

test('parseWrk refuses failures, nothing measured and a run that was cut short', () => {
  const line = (requests: number, failures: number): string =>
    `${report}{"requests":${requests},"duration":5000000,"p50":1,"p99":9,"failures":${failures}}\n`
  expect(() => parseWrk(line(1000, 3))).toThrow('3 of 1000')
  expect(() => parseWrk(line(0, 0))).toThrow('nothing')
  expect(() => parseWrk(report)).toThrow('did not finish')
})
