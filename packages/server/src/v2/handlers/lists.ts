import { formatReferrersIndex, parseDigest, parseRepositoryName } from '@openregistry/oci'
import type { Headers } from '../../http/exchange.ts'
import { answerJson, nextLink, queryOf, wholeNumber, type Call } from '../call.ts'

/** `GET /v2/_catalog` (Docker's): repositories that the caller may see. */
export async function handleCatalog(call: Call): Promise<void> {
  const query = queryOf(call)
  const n = wholeNumber(query, 'n')
  const { items, next } = await call.registry.listRepositories(call.principal, { n, last: query.get('last') })
  const headers: Headers = next === null ? {} : { Link: nextLink('/v2/_catalog', { n, last: next }) }
  answerJson(call, 200, headers, { repositories: items.map((repository) => repository.name) })
}

/** `GET /v2/<name>/tags/list` (end-8): tags in the order of their bytes. */
export async function handleTags(call: Call, name: string): Promise<void> {
  const repository = parseRepositoryName(name)
  const query = queryOf(call)
  const n = wholeNumber(query, 'n')
  const { items, next } = await call.registry.listTagNames(call.principal, {
    repository,
    n,
    last: query.get('last'),
  })
  const headers: Headers = next === null ? {} : { Link: nextLink(`/v2/${name}/tags/list`, { n, last: next }) }
  answerJson(call, 200, headers, { name, tags: items })
}

/** `GET /v2/<name>/referrers/<digest>` (end-12): what refers to a manifest, or may once it is there. */
export async function handleReferrers(call: Call, name: string, digest: string): Promise<void> {
  const repository = parseRepositoryName(name)
  const subject = parseDigest(digest)
  const query = queryOf(call)
  const n = wholeNumber(query, 'n')
  const artifactType = query.get('artifactType') || null
  const { items, next } = await call.registry.listReferrers(call.principal, {
    repository,
    subject,
    artifactType,
    n,
    last: query.get('last'),
  })
  const headers: Headers = { 'Content-Type': 'application/vnd.oci.image.index.v1+json' }
  if (artifactType !== null) headers['OCI-Filters-Applied'] = 'artifactType'
  if (next !== null)
    headers['Link'] = nextLink(`/v2/${name}/referrers/${subject}`, { artifactType, n, last: next })
  answerJson(call, 200, headers, formatReferrersIndex(items))
}
