import { expect, test } from 'vitest'
import { VerifiedPasswords } from './verified-passwords.ts'

test('an entry ends after a minute', () => {
  let time = 0
  const passwords = new VerifiedPasswords(() => time)
  const key = passwords.keyOf('alice', 'sesame')
  passwords.add(key)
  time = 59_999
  expect(passwords.has(key)).toBe(true)
  time = 60_000
  expect(passwords.has(key)).toBe(false)
  time = 0
  expect(passwords.has(key)).toBe(false)
})

test('the oldest entry makes room', () => {
  const passwords = new VerifiedPasswords(() => 0)
  const keys = Array.from({ length: 1001 }, (_, index) => passwords.keyOf('alice', String(index)))
  for (const key of keys) passwords.add(key)
  expect(passwords.has(keys[0] ?? '')).toBe(false)
  expect(passwords.has(keys[1] ?? '')).toBe(true)
  expect(passwords.has(keys[1000] ?? '')).toBe(true)
})

test('keys are of this process, and tell name and password apart', () => {
  const passwords = new VerifiedPasswords(() => 0)
  expect(passwords.keyOf('ab', 'c')).not.toBe(passwords.keyOf('a', 'bc'))
  expect(passwords.keyOf('1:a', 'b')).not.toBe(passwords.keyOf('1', ':ab'))
  expect(new VerifiedPasswords(() => 0).keyOf('ab', 'c')).not.toBe(passwords.keyOf('ab', 'c'))
})

test('the pick for a name is stable and within bounds', () => {
  const passwords = new VerifiedPasswords(() => 0)
  for (let index = 0; index < 100; index++) {
    const picked = passwords.pick(`user ${index}`, 7)
    expect(picked).toBe(passwords.pick(`user ${index}`, 7))
    expect(picked).toBeGreaterThanOrEqual(0)
    expect(picked).toBeLessThan(7)
  }
})
