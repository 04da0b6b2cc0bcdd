import { mediaTypes, type Descriptor } from '@openregistry/oci'
import type { HttpResponse } from '@openregistry/testkit'
import { expect } from 'vitest'
import { allPages } from './pages.ts'
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

/** All descriptors of a list, page by page from this path on. */
export async function allReferrers(repository: Repository, rest: string): Promise<Descriptor[]> {
  const pages = await allPages(repository.http, repository.path(rest))
  return pages.flatMap((page) => readIndex(page).manifests)
}
