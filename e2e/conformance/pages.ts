import type { HttpClient, HttpResponse } from '@openregistry/testkit'
import { expect } from 'vitest'

/** The address of the next page (RFC 8288), or null at the last one. */
export function nextPage(response: HttpResponse): string | null {
  const link = response.header('link')
  if (link === null) return null
  const match = /^<([^>]+)>\s*;\s*rel="?next"?$/.exec(link)
  expect(match, `${link} is no link to the next page`).not.toBeNull()
  const url = new URL(match?.[1] ?? '', 'http://registry/v2/')
  return url.pathname + url.search
}

/** All pages of a list, from this path on, as long as there is a next one. */
export async function allPages(http: HttpClient, path: string): Promise<HttpResponse[]> {
  const pages: HttpResponse[] = []
  for (let next: string | null = path; next !== null;) {
    const response: HttpResponse = await http.send({ path: next })
    expect(response.status, response.text()).toBe(200)
    pages.push(response)
    next = nextPage(response)
  }
  return pages
}
