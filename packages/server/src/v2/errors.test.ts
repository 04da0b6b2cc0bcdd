import { readFile } from 'node:fs/promises'
import { RegistryError, errorCatalogue, type ErrorCode } from '@openregistry/oci'
import { describe, expect, test } from 'vitest'
import { ociAnswers, ociErrorBody } from './errors.ts'

const specified = `BLOB_UNKNOWN BLOB_UPLOAD_INVALID BLOB_UPLOAD_UNKNOWN DIGEST_INVALID MANIFEST_BLOB_UNKNOWN
  MANIFEST_INVALID MANIFEST_UNKNOWN NAME_INVALID NAME_UNKNOWN SIZE_INVALID UNAUTHORIZED DENIED UNSUPPORTED
  TOOMANYREQUESTS`.split(/\s+/)

describe('errors of /v2', () => {
  test('docs/errors.md is the catalogue', async () => {
    const page = await readFile(new URL('../../../../docs/errors.md', import.meta.url), 'utf8')
    const rows = page.split('\n').filter((line) => line.startsWith('| `'))
    const expected = (Object.keys(errorCatalogue) as ErrorCode[]).map((code) => {
      const { status, code: sent } = ociAnswers[code]
      return `| \`${code}\` | ${status} | \`${sent}\` | ${errorCatalogue[code]} |`
    })
    expect(rows.map((row) => row.replaceAll(/ +/g, ' '))).toEqual(expected)
  })

  test('a 4xx has one of the fourteen codes of the specification', () => {
    for (const { status, code } of Object.values(ociAnswers)) {
      if (status < 500) expect(specified).toContain(code)
    }
  })

  test('the body never carries the cause', () => {
    const body = ociErrorBody(new RegistryError('INTERNAL', undefined, { cause: new Error('canary') }))
    expect(JSON.parse(body)).toEqual({ errors: [{ code: 'UNKNOWN', message: errorCatalogue.INTERNAL }] })
  })
})
