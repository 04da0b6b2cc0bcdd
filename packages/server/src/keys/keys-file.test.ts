import { createPublicKey, sign, verify } from 'node:crypto'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { silentLogger } from '../log/logger.ts'
import { openKeysFile } from './keys-file.ts'
import { keysOf } from './keys.ts'

const root = mkdtempSync(join(tmpdir(), 'openregistry-keys-'))
afterAll(() => rmSync(root, { recursive: true }))

let folders = 0
const folder = (): string => join(root, String(folders++))
const open = (path: string) => openKeysFile(path, silentLogger)

describe('a keys file', () => {
  test('is made once, for its owner alone, and gives the same keys ever after', async () => {
    const path = join(folder(), 'deep', 'keys.json')
    const first = await open(path)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const text = readFileSync(path, 'utf8')
    const again = await open(path)
    expect(again.derive('x')).toEqual(first.derive('x'))
    expect(readFileSync(path, 'utf8')).toBe(text)
    expect(readdirSync(join(path, '..'))).toEqual(['keys.json'])
  })

  test('is one, also when several processes make it at once', async () => {
    const path = join(folder(), 'keys.json')
    const all = await Promise.all(Array.from({ length: 8 }, () => open(path)))
    const secrets = new Set(all.map((keys) => Buffer.from(keys.derive('x')).toString('hex')))
    expect(secrets.size).toBe(1)
    expect(readdirSync(join(path, '..'))).toEqual(['keys.json'])
  })

  test.each([
    '',
    '{}',
    'null',
    '{"version":1,"secret":"short"}',
    '{"version":2,"secret":"x"}',
    'x'.repeat(10_000),
  ])('that holds %j is refused, and left as it is', async (text) => {
    const path = join(root, `bad-${folders++}.json`)
    writeFileSync(path, text)
    await expect(open(path)).rejects.toThrow('is not what openregistry wrote')
    expect(readFileSync(path, 'utf8')).toBe(text)
  })

  test('that others can read is used with a warning', async () => {
    const path = join(folder(), 'keys.json')
    await open(path)
    chmodSync(path, 0o644)
    const warnings: string[] = []
    await openKeysFile(path, { ...silentLogger, warn: (event) => void warnings.push(event) })
    expect(warnings).toEqual(['keys_file_open'])
  })
})

describe('keys', () => {
  const keys = keysOf(new Uint8Array(32).fill(7))

  test('of one purpose tell nothing of another, and are the same everywhere', () => {
    // Once names are published under them, they must never change.
    expect(Buffer.from(keys.derive('peer')).toString('hex')).toBe(
      'e2c694731cff6a384e74a7b4a6e8488a2a1b80bab8a70baaf558b9f2e0ad2e83',
    )
    expect(keys.derive('peer')).not.toEqual(keys.derive('ipns 1'))
    expect(keysOf(new Uint8Array(32)).derive('peer')).not.toEqual(keys.derive('peer'))
  })

  test('sign what their public half verifies', () => {
    const { privateKey, publicKey } = keys.signingKey('peer')
    const x = Buffer.from(publicKey).toString('base64url')
    const half = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
    const signature = sign(null, Buffer.from('text'), privateKey)
    expect(verify(null, Buffer.from('text'), half, signature)).toBe(true)
    expect(verify(null, Buffer.from('test'), half, signature)).toBe(false)
  })
})
