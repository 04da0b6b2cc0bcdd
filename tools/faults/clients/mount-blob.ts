import type { Digest } from '@openregistry/oci'
import type { RepositoryModel } from '../model/repository-model.ts'
import type { Span } from '../model/tick.ts'
import type { Client } from './client.ts'
import type { KnownBlob } from './contents.ts'

/**
 * Asks to link a blob that another repository has. All repositories here are public and of one namespace, so it must
 * work if one has it, and cannot if none does.
 * @returns whether it was acknowledged.
 */
export async function mountBlob(
  client: Client,
  repository: RepositoryModel,
  { digest, cid }: KnownBlob,
): Promise<boolean> {
  const named = client.oneIn(2)
  const sources = named ? [client.repository()] : [...client.world.model.repositories.values()]
  const from = named ? `&from=${sources[0]?.name}` : ''
  const change = repository.linkBlob(digest)
  const path = `/v2/${repository.name}/blobs/uploads/?mount=${digest}${from}`
  const answer = await client.call({ method: 'POST', path })
  if (answer === null) return false
  const { span } = answer
  if (answer.status === 201) {
    client.acknowledge(change, answer)
    if (!sources.some((source) => source.link(digest).mayBeHere(span)))
      client.violation(`${digest} was mounted from where it is not`, answer)
    if (answer.header('openregistry-cid') !== cid) client.violation(`the CID of ${digest} is wrong`, answer)
    return true
  }
  // It may have been linked, and taken away again before the answer.
  change.over(span.until)
  if (answer.status !== 202) client.violation(`a mount of ${digest} was answered oddly`, answer)
  if (mustWork(client, repository, digest, sources, span))
    client.violation(`${digest} was not mounted to ${repository.name}, though it is there`, answer)
  await client.call({ method: 'DELETE', path: answer.header('location') ?? '' })
  return false
}

function mustWork(
  client: Client,
  target: RepositoryModel,
  digest: Digest,
  sources: readonly RepositoryModel[],
  span: Span,
): boolean {
  if (client.world.faultTimes.overlap(span) || target.link(digest).readable.mayTurn(false, span)) return false
  // The registry tries one source alone; if that one goes at the same moment, the client has to push.
  const candidates = sources.filter((source) => source.link(digest).mayBeHere(span))
  const isStable = (source: RepositoryModel): boolean =>
    !source.link(digest).mayBeGone(span, source.isNeeded(digest, span))
  return candidates.length > 0 && candidates.every(isStable)
}
