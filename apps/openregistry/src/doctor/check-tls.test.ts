import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadConfig } from '@openregistry/server/config'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeCertificate, makesCertificates } from '../testing/make-certificate.ts'
import { temporaryFolder } from '../testing/temporary-folder.ts'
import { checkTls } from './check-tls.ts'

const day = 24 * 3600_000

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder[Symbol.asyncDispose]())

async function check(cert: string | null, key: string | null, now?: number) {
  const env = { OPEN_REGISTRY_HTTP_TLS_CERT: cert ?? '', OPEN_REGISTRY_HTTP_TLS_KEY: key ?? '' }
  return (await checkTls(await loadConfig({ env, cwd: folder.path }), now))[0]
}

test('plain HTTP needs none', async () => {
  expect(await check(null, null)).toBeUndefined()
})

test('files that are missing, or no PEM', async () => {
  await writeFile(join(folder.path, 'text'), 'hello')
  expect(await check('none', 'none')).toMatchObject({
    status: 'failed',
    message: expect.stringContaining('none') as string,
  })
  expect(await check('text', 'text')).toMatchObject({ status: 'failed' })
})

describe.skipIf(!makesCertificates)('a certificate (made by openssl)', () => {
  beforeAll(() => {
    makeCertificate(folder.path, 'one', 'registry.test')
    makeCertificate(folder.path, 'two', 'registry.test')
  })

  test.each([
    ['today', 0, 'ok', 'DNS:registry.test: valid for'],
    ['three weeks later', 21, 'warning', 'more days'],
    ['when it has ended', 31, 'failed', 'ended'],
    ['before it begins', -2, 'failed', 'not valid before'],
  ])('%s', async (_when, days, status, message) => {
    const finding = await check('one.crt', 'one.key', Date.now() + days * day)
    expect(finding).toMatchObject({ status, message: expect.stringContaining(message) as string })
  })

  test('with the key of another one', async () => {
    const finding = await check('one.crt', 'two.key')
    expect(finding).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('is not the key of') as string,
    })
  })
})
