import { describe, expect, test } from 'vitest'
import { isKept, parseStatus, type PinStatus } from './pin-status.ts'

const statusOf = (...states: PinStatus['state'][]): PinStatus[] =>
  states.map((state, index) => ({ peer: `peer-${index}`, state, error: '' }))

describe('the status of a pin', () => {
  test('is that of each peer that should have it', () => {
    const answer = {
      peer_map: {
        one: { peername: 'first', status: 'pinned', error: '' },
        two: { peername: '', status: 'pin_error', error: 'no space left on device' },
        three: { peername: 'third', status: 'remote' },
        four: { peername: 'fourth', status: 'cluster_error', error: 'dial failed' },
        five: { peername: 'fifth', status: 'a word of a later version' },
      },
    }
    expect(parseStatus(answer)).toEqual([
      { peer: 'first', state: 'pinned', error: '' },
      { peer: 'two', state: 'failed', error: 'no space left on device' },
      { peer: 'fourth', state: 'away', error: 'dial failed' },
      { peer: 'fifth', state: 'on its way', error: '' },
    ])
    expect(parseStatus({})).toEqual([])
  })

  test.each<[PinStatus[], number | null, boolean]>([
    [statusOf(), null, false],
    [statusOf('pinned'), null, true],
    [statusOf('pinned', 'on its way'), null, false],
    [statusOf('pinned', 'away'), null, true],
    [statusOf('away'), null, false],
    [statusOf('pinned', 'pinned'), null, true],
    [statusOf('pinned', 'failed'), null, false],
    [statusOf('pinned', 'on its way', 'away'), 1, true],
    [statusOf('pinned', 'on its way'), 2, false],
    [statusOf('pinned', 'pinned', 'failed'), 2, true],
  ])('%j with a least number of %s: kept is %s', (status, min, kept) => {
    expect(isKept(status, min)).toBe(kept)
  })
})
