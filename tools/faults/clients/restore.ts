import type { Digest } from '@openregistry/oci'
import type { KnownManifest, RepositoryModel } from '../model/repository-model.ts'
import type { Answer } from './caller.ts'
import type { Client } from './client.ts'

/** Asks for a manifest that was, or was not, deleted, with the tags that went with it. */
export async function restoreManifest(client: Client, repository: RepositoryModel): Promise<void> {
  // An index would bring its manifests back, too.
  const images = [...repository.manifests.values()].filter(({ content }) => content.blobs.length > 0)
  const manifest = images[client.random.integer(0, images.length - 1)]?.content
  if (manifest === undefined) return
  const { change, tags } = repository.restoreManifest(manifest)
  const wasRestorable = repository.isRestorable(manifest.digest)
  const answer = await client.call({
    method: 'POST',
    path: `/api/v1/repositories/${encodeURIComponent(repository.name)}/restore`,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ digest: manifest.digest }),
  })
  if (answer === null) return
  if (answer.status === 200) {
    client.acknowledge(change, answer)
    const restored = answer.json() as { tags: string[]; manifests: Digest[] }
    const back = new Set(restored.tags)
    for (const [tag, pointed] of tags) {
      if (back.has(tag)) pointed.acknowledged(answer.span.until)
      else pointed.refused()
    }
    // One that was not deleted is left as it is, whatever became of its blobs.
    if (!restored.manifests.includes(manifest.digest)) return
    for (const digest of manifest.blobs) client.sawBlob(repository, digest, true, answer.span)
    return
  }
  change.refused()
  for (const pointed of tags.values()) pointed.refused()
  judgeRefusal(client, repository, manifest, answer, wasRestorable)
}

function judgeRefusal(
  client: Client,
  repository: RepositoryModel,
  manifest: KnownManifest,
  answer: Answer,
  wasRestorable: boolean,
): void {
  const { span, status } = answer
  const isStill = wasRestorable && repository.isRestorable(manifest.digest)
  const mayBeGone = (digest: Digest): boolean =>
    repository.link(digest).mayBeGone(span, repository.isNeeded(digest, span))
  if (status === 404 && !isStill) return
  if (status === 400 && (!isStill || manifest.blobs.some(mayBeGone))) return
  client.violation(`${repository.name}@${manifest.digest} was not restored`, answer)
}
