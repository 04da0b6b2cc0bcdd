import type { Change } from '../model/change.ts'
import type { KnownManifest, RepositoryModel } from '../model/repository-model.ts'
import type { Span } from '../model/tick.ts'
import type { Client } from './client.ts'
import { someManifest, someTag } from './push-manifest.ts'

/** Deletes a tag alone. */
export async function deleteTag(client: Client, repository: RepositoryModel): Promise<void> {
  const tag = someTag(client)
  const path = `/v2/${repository.name}/manifests/${tag}`
  await remove(client, path, repository.deleteTag(tag), (span) => client.sawTag(repository, tag, null, span))
}

/** Deletes a manifest with every tag on it. */
export async function deleteManifest(client: Client, repository: RepositoryModel): Promise<void> {
  const manifest = someManifest(client, repository)
  if (manifest !== null) await deleteThis(client, repository, manifest)
}

/** Deletes this manifest with every tag on it. */
export async function deleteThis(
  client: Client,
  repository: RepositoryModel,
  manifest: KnownManifest,
): Promise<void> {
  const path = `/v2/${repository.name}/manifests/${manifest.digest}`
  await remove(client, path, repository.deleteManifest(manifest), (span) =>
    client.sawManifest(repository, manifest.digest, false, span),
  )
}

/** Hides a blob, whoever needs it. */
export async function deleteBlob(client: Client, repository: RepositoryModel): Promise<void> {
  const { digest } = client.blob()
  const path = `/v2/${repository.name}/blobs/${digest}`
  await remove(client, path, repository.deleteBlob(digest), (span) =>
    client.sawBlob(repository, digest, false, span),
  )
}

/** Deletes a repository with everything in it. */
export async function deleteRepository(client: Client, repository: RepositoryModel): Promise<void> {
  const path = `/api/v1/repositories/${encodeURIComponent(repository.name)}`
  await remove(client, path, repository.deleteRepository(), (span) => {
    for (const tag of repository.tags.keys()) client.sawTag(repository, tag, null, span)
    for (const digest of repository.manifests.keys()) client.sawManifest(repository, digest, false, span)
    for (const digest of repository.links.keys()) client.sawBlob(repository, digest, false, span)
  })
}

/** @param absent what the model learns when there was nothing to delete. */
async function remove(
  client: Client,
  path: string,
  change: Change,
  absent: (span: Span) => void,
): Promise<void> {
  const answer = await client.call({ method: 'DELETE', path })
  if (answer === null) return
  if (answer.status === 202 || answer.status === 204) return client.acknowledge(change, answer)
  change.refused()
  if (answer.status === 404) absent(answer.span)
  else client.violation(`DELETE ${path} was answered oddly`, answer)
}
