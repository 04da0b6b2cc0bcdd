import type { Digest } from '@openregistry/oci'
import type { RepositoryModel } from '../model/repository-model.ts'
import { tick, type Span } from '../model/tick.ts'
import type { Client } from './client.ts'

/** A list, page by page; null when it broke off. Entries of a repository that is not there are none. */
async function listed<T>(
  client: Client,
  first: string,
  entriesOf: (body: unknown) => T[],
): Promise<{ entries: T[]; span: Span } | null> {
  const entries: T[] = []
  const from = tick()
  for (let path: string | undefined = first; path !== undefined;) {
    const answer = await client.call({ path })
    if (answer === null) return null
    if (answer.status === 404) return { entries: [], span: { from, until: answer.span.until } }
    if (answer.status !== 200) {
      client.violation(`the list ${path} cannot be read`, answer)
      return null
    }
    entries.push(...entriesOf(answer.json()))
    path = /^<([^>]*)>/.exec(answer.header('link') ?? '')?.[1]
  }
  return { entries, span: { from, until: tick() } }
}

/** Lists the tags: each that is there for sure, and none that is not. */
export async function listTags(client: Client, repository: RepositoryModel): Promise<void> {
  const size = client.oneIn(2) ? '' : `?n=${client.random.integer(1, 3)}`
  const list = await listed(
    client,
    `/v2/${repository.name}/tags/list${size}`,
    (body) => (body as { tags: string[] }).tags,
  )
  if (list === null) return
  const seen = new Set(list.entries)
  for (const tag of new Set([...seen, ...repository.tags.keys()])) {
    const possible = repository.tag(tag).possible(list.span)
    const mayBe = seen.has(tag) ? [...possible].some((digest) => digest !== null) : possible.has(null)
    if (!mayBe) {
      client.violation(
        `the list of ${repository.name} ${seen.has(tag) ? 'has' : 'lacks'} ${tag}; known: ${repository.tag(tag).history()}`,
      )
    }
  }
}

/** Lists what refers to a manifest. */
export async function listReferrers(
  client: Client,
  repository: RepositoryModel,
  subject: Digest,
): Promise<void> {
  const list = await listed(client, `/v2/${repository.name}/referrers/${subject}`, (body) =>
    (body as { manifests: { digest: Digest }[] }).manifests.map(({ digest }) => digest),
  )
  if (list === null) return
  const seen = new Set(list.entries)
  for (const { content, live } of repository.manifests.values()) {
    const { digest } = content
    if (content.subject !== subject || live.possible(list.span).has(seen.has(digest))) continue
    if (!seen.has(digest) && repository.mayHaveFollowed(digest, list.span)) continue
    client.violation(`the referrers of ${subject} are wrong about ${digest}; known: ${live.history()}`)
  }
  for (const digest of seen)
    if (repository.manifests.get(digest)?.content.subject !== subject)
      client.violation(`${digest} is listed as a referrer of ${subject}`)
}

/** Lists the repositories: each that surely has a manifest. */
export async function listRepositories(client: Client): Promise<void> {
  const list = await listed(
    client,
    '/v2/_catalog',
    (body) => (body as { repositories: string[] }).repositories,
  )
  if (list === null) return
  for (const [name, { manifests }] of client.world.model.repositories) {
    const holds = [...manifests.values()].some(({ live }) => live.surely(true, list.span))
    if (holds && !list.entries.includes(name)) client.violation(`the catalogue lacks ${name}`)
  }
}
