import { describe, expect, test } from 'vitest'
import { Register } from './register.ts'
import { tick, type Span } from './tick.ts'

/** A read that begins and ends now. */
const now = (): Span => ({ from: tick(), until: tick() })

function written<V>(register: Register<V>, value: V, onlyFrom?: V): void {
  const write = register.begin(value, onlyFrom === undefined ? {} : { onlyFrom })
  register.acknowledge(write, tick())
}

describe('a register', () => {
  test('is what was acknowledged last', () => {
    const register = new Register('old')
    written(register, 'new')
    expect([...register.possible(now())]).toEqual(['new'])
    expect(register.observe('old', now())).toBe(false)
  })

  test('is old or new while a write is under way, and after an answer that was lost', () => {
    const register = new Register('old')
    register.begin('new')
    expect(register.observe('old', now())).toBe(true)
    expect(register.observe('new', now())).toBe(true)
    // It was seen, so it has happened.
    expect(register.observe('old', now())).toBe(false)
  })

  test('is not what was refused', () => {
    const register = new Register('old')
    const write = register.begin('new')
    register.withdraw(write)
    expect(register.observe('new', now())).toBe(false)
  })

  test('is either of two that were written at the same time', () => {
    const register = new Register('old')
    const [one, other] = [register.begin('one'), register.begin('other')]
    register.acknowledge(one, tick())
    register.acknowledge(other, tick())
    expect(register.possible(now())).toEqual(new Set(['one', 'other']))
  })

  test('can be what a write that was lost sets, until that is settled and overwritten', () => {
    const register = new Register('old')
    register.begin('lost')
    written(register, 'new')
    expect(register.observe('lost', now())).toBe(true)
    register.settle()
    written(register, 'newest')
    expect([...register.possible(now())]).toEqual(['newest'])
  })

  test('is changed by a condition only from what it asks for', () => {
    const register = new Register('a')
    written(register, 'gone', 'b')
    expect([...register.possible(now())]).toEqual(['a'])
    written(register, 'b')
    written(register, 'gone', 'b')
    expect([...register.possible(now())]).toEqual(['gone'])
  })
})
