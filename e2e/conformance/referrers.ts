import { mediaTypes, type Descriptor } from '@openregistry/oci'
import type { HttpResponse } from '@openregistry/testkit'
import { expect } from 'vitest'
import type { Repository } from './repository.ts'

/** An image index, as the referrers API answers it. */
export interface ReferrersIndex {
  schemaVersion: number
  mediaType: string
  manifests: Descriptor[]
}

/** Expects an answer of the referrers API, and reads it. */
export function readIndex(response: HttpResponse): ReferrersIndex {
  expect(response.status, response.text()).toBe(200)
  expect(response.header('content-type')).toBe(mediaTypes.ociIndex)
  const index = response.json() as ReferrersIndex
  expect(index).toMatchObject({ schemaVersion: 2, mediaType: mediaTypes.ociIndex })
  expect(Array.isArray(index.manifests)).toBe(true)
  return index
}

/** The address of the next page (RFC 8288), or null at the last one. */
export function nextPage(response: HttpResponse): string | null {
  const link = response.header('link')
  if (link === null) return null
  const match = /^<([^>]+)>\s*;\s*rel="?next"?$/.exec(link)
  expect(match, `${link} is no link to the next page`).not.toBeNull()
  const url = new URL(match?.[1] ?? '', 'http://registry/v2/')
  return url.pathname + url.search
}

/** All descriptors of a list, page by page from this path on. */
export async function allReferrers(repository: Repository, rest: string): Promise<Descriptor[]> {
  const found: Descriptor[] = []
  let path: string | null = repository.path(rest)
  while (path !== null) {
    const response: HttpResponse = await repository.http.send({ path })
    found.push(...readIndex(response).manifests)
    path = nextPage(response)
  }
  return found
}
