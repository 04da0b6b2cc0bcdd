import { EventEmitter } from 'node:events'
import { expect, test, vi } from 'vitest'
import { stopSignals } from './stop-signals.ts'

test('what arrives together is one signal, what comes later is a second one', async () => {
  const source = new EventEmitter()
  let time = 0
  const second = vi.fn<() => void>()
  {
    using signals = stopSignals(source, () => time)
    signals.onSecond(second)
    source.emit('SIGINT', 'SIGINT')
    expect(await signals.first).toBe('SIGINT')
    // The same Ctrl-C once more, from npm, and from the terminal.
    time = 1000
    source.emit('SIGINT', 'SIGINT')
    source.emit('SIGTERM', 'SIGTERM')
    expect(second).not.toHaveBeenCalled()
    time = 1001
    source.emit('SIGINT', 'SIGINT')
    expect(second).toHaveBeenCalledTimes(1)
  }
  expect(source.eventNames()).toEqual([])
})
