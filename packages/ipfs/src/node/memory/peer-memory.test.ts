import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PeerMemory, type Holder } from './peer-memory.ts'

class Peer implements Holder {
  bytes = 0
  isCut = false
  held(): number {
    return this.bytes
  }
  cut(): void {
    this.isCut = true
  }
}

test('what all hold together stays below the limit, and who holds the most is cut', () => {
  const step = fc.record({ peer: fc.nat(5), bytes: fc.nat(150), isRead: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const memory = new PeerMemory(300)
      const peers = Array.from({ length: 6 }, () => new Peer())
      for (const { peer, bytes, isRead } of steps) {
        const one = peers[peer]!
        if (one.isCut) continue
        one.bytes = isRead ? 0 : one.bytes + bytes
        // Whoever reads says nothing of it.
        if (!isRead) memory.note(one, one.bytes)
        const left = peers.filter(({ isCut }) => !isCut).map(({ bytes: held }) => held)
        expect(left.reduce((sum, held) => sum + held, 0)).toBeLessThanOrEqual(300)
        for (const { bytes: held } of peers.filter(({ isCut }) => isCut)) {
          if (held > 0) expect(held).toBeGreaterThanOrEqual(Math.max(0, ...left))
        }
        for (const gone of peers) if (gone.isCut) gone.bytes = 0
      }
    }),
  )
})

test('who has read everything meanwhile is not cut for what it held before', () => {
  const memory = new PeerMemory(100)
  const [fair, greedy] = [new Peer(), new Peer()]
  memory.note(fair, (fair.bytes = 90))
  fair.bytes = 0
  memory.note(greedy, (greedy.bytes = 40))
  expect([fair.isCut, greedy.isCut]).toEqual([false, false])
  memory.note(greedy, (greedy.bytes = 101))
  expect([fair.isCut, greedy.isCut]).toEqual([false, true])
})

test('who is gone holds nothing', () => {
  const memory = new PeerMemory(100)
  const [first, second] = [new Peer(), new Peer()]
  memory.note(first, (first.bytes = 90))
  memory.forget(first)
  memory.note(second, (second.bytes = 90))
  expect([first.isCut, second.isCut]).toEqual([false, false])
})
