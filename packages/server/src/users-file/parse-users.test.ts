import { describe, expect, test } from 'vitest'
import { parseUsers, UsersFileError } from './parse-users.ts'

/** `htpasswd -nbB -C 4 alice 'open:sesame ü'` */
const bcrypt = '$2y$04$eQsUlyitjL0yrsqLiPGnNee17BJ.nSqpiYlaEr9uBNBj99rf73vky'
/** A test vector of the reference implementation: "password" with the salt "somesalt". */
const argon2id = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'

function problemsOf(text: string): readonly string[] {
  try {
    parseUsers(text, 'users')
    return []
  } catch (error) {
    if (error instanceof UsersFileError) return error.problems
    throw error
  }
}

describe('good lines', () => {
  test('bcrypt as htpasswd writes it; the password has a colon and an umlaut', async () => {
    const hash = parseUsers(`alice:${bcrypt}\n`, 'users').get('alice')
    expect(await hash?.verify('open:sesame ü')).toBe(true)
    expect(await hash?.verify('open:sesame u')).toBe(false)
    expect(await hash?.verify('')).toBe(false)
  })

  test.each(['2a', '2b', '2y'])('bcrypt of version %s', async (version) => {
    const hash = parseUsers(`a:${bcrypt.replace('2y', version)}`, 'users').get('a')
    expect(await hash?.verify('open:sesame ü')).toBe(true)
  })

  test('argon2id against the reference implementation', async () => {
    const hash = parseUsers(`bob:${argon2id}`, 'users').get('bob')
    expect(await hash?.verify('password')).toBe(true)
    expect(await hash?.verify('Password')).toBe(false)
  })

  test('comments, empty lines, Windows line ends, a byte order mark, names of any script', () => {
    const text = `\uFEFF# people\r\n\r\njürgen:${bcrypt}\r\n李:${argon2id}\r\n  \r\n`
    expect([...parseUsers(text, 'users').keys()]).toEqual(['jürgen', '李'])
  })

  test('an empty file has no users', () => {
    expect(parseUsers('', 'users').size).toBe(0)
  })
})

describe('refused lines are named with file, line and what to do', () => {
  test.each([
    ['MD5', '$apr1$QrEsw4zV$Bx7mHxJIhnOvAsBQ701eF/'],
    ['SHA-1', '{SHA}EfatjsUqKYSrqv18O1FlA3hcIHI='],
    ['crypt', 'B89WusYjNkUvM'],
    ['plain', 'x'],
    ['SHA-256', '$5$0trZej80/LjnvPFb$2BhYEFeDvF5JtH9WA9JJuRVXrnb4uNTtA.FTTwL/o81'],
    [
      'SHA-512',
      '$6$Pj3XgoyTlJvb7UXa$72xIJ.1lmb4bOSUScEE2jQA2Fr0xbf3C/qdDsA9u8HpDIbGcIk3v0/TG0qKJUzGxOx04HIOaTa',
    ],
    ['argon2i', argon2id.replace('2id', '2i')],
    ['faulty bcrypt', bcrypt.replace('2y', '2x')],
  ])('%s', (what, hash) => {
    const [problem, ...more] = problemsOf(`# first\nbob:${hash}`)
    expect(more).toEqual([])
    expect(problem).toMatch(/^users:2: bob: /)
    expect(problem).toContain(what)
    expect(problem).toContain('htpasswd -B')
    expect(problem).not.toContain(hash.length > 10 ? hash : '\0')
  })

  test.each([
    ['bcrypt cut short', bcrypt.slice(0, -1)],
    ['bcrypt cost above 16', bcrypt.replace('$04$', '$17$')],
    ['bcrypt cost below 4', bcrypt.replace('$04$', '$03$')],
    ['argon2id of 1.0', argon2id.replace('v=19', 'v=16')],
    ['argon2id with too much memory', argon2id.replace('65536', '262145')],
    ['argon2id with too many passes', argon2id.replace('t=2', 't=65')],
    ['argon2id with too many lanes', argon2id.replace('p=1', 'p=65')],
    ['argon2id without memory for its lanes', argon2id.replace('65536', '7')],
    ['argon2id without a pass', argon2id.replace('t=2', 't=0')],
    ['argon2id cut short', argon2id.slice(0, -30)],
  ])('%s', (_what, hash) => {
    expect(problemsOf(`bob:${hash}`)).toHaveLength(1)
  })

  test('all bad lines at once', () => {
    const text = [`a:${bcrypt}`, 'no colon', `:${bcrypt}`, `a:${bcrypt}`, `b\u0007:${bcrypt}`].join('\n')
    expect(problemsOf(text).map((problem) => problem.split(' ')[0])).toEqual([
      'users:2:',
      'users:3:',
      'users:4:',
      'users:5:',
    ])
  })
})
