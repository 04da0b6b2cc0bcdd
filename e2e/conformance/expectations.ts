import { digestOf, type Content, type HttpResponse } from '@openregistry/testkit'
import { expect } from 'vitest'
import type { Repository } from './repository.ts'

/** The codes of the specification ("Error Codes"); no other may be in an answer of a 4xx status. */
const errorCodes: ReadonlySet<string> = new Set([
  'BLOB_UNKNOWN',
  'BLOB_UPLOAD_INVALID',
  'BLOB_UPLOAD_UNKNOWN',
  'DIGEST_INVALID',
  'MANIFEST_BLOB_UNKNOWN',
  'MANIFEST_INVALID',
  'MANIFEST_UNKNOWN',
  'NAME_INVALID',
  'NAME_UNKNOWN',
  'SIZE_INVALID',
  'UNAUTHORIZED',
  'DENIED',
  'UNSUPPORTED',
  'TOOMANYREQUESTS',
])

/** The error codes of an answer whose body has the form of the specification. */
export function errorCodesOf(response: HttpResponse): string[] {
  expect(response.header('content-type')).toMatch(/^application\/json\b/)
  const { errors } = response.json() as { errors: { code: string; message?: unknown }[] }
  expect(errors.length).toBeGreaterThan(0)
  for (const { code, message } of errors) {
    expect(errorCodes, `${code} is no code of the specification`).toContain(code)
    expect(['string', 'undefined']).toContain(typeof message)
  }
  return errors.map((error) => error.code)
}

/** Expects a refusal: its status, a well-formed body, and this code first, where one is named. */
export function expectRefusal(response: HttpResponse, status: number, code?: string): void {
  expect(response.status, response.text()).toBe(status)
  const codes = errorCodesOf(response)
  if (code !== undefined) expect(codes).toContain(code)
}

/** Expects that a blob can be pulled, byte for byte. */
export async function expectBlob(repository: Repository, content: Content): Promise<void> {
  const response = await repository.get(`blobs/${content.digest}`)
  expect(response.status).toBe(200)
  expect(response.body.equals(content.bytes)).toBe(true)
}

/** Expects that a repository does not have a blob. */
export async function expectNoBlob(repository: Repository, digest: string): Promise<void> {
  expect((await repository.get(`blobs/${digest}`)).status).toBe(404)
  expect((await repository.head(`blobs/${digest}`)).status).toBe(404)
}

/** Expects that the header names the digest of these bytes by the same algorithm as the wanted one. */
export function expectDigestHeader(response: HttpResponse, content: Content): void {
  expect(response.header('docker-content-digest')).toBe(content.digest)
  const algorithm = content.digest.startsWith('sha512') ? 'sha512' : 'sha256'
  expect(content.digest).toBe(digestOf(content.bytes, algorithm))
}
