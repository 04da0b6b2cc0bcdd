import type { Digest } from '@openregistry/oci'
import type { RepositoryModel } from '../model/repository-model.ts'
import type { Answer } from './caller.ts'
import type { Client } from './client.ts'
import { isWhole, type KnownBlob } from './contents.ts'

/** Pulls a blob and compares every byte. */
export async function pullBlob(client: Client, repository: RepositoryModel, blob: KnownBlob): Promise<void> {
  const answer = await client.call({ path: `/v2/${repository.name}/blobs/${blob.digest}` })
  if (answer === null) return
  judgeBlob(client, repository, blob, answer)
  if (answer.status !== 200 || isWhole(answer.body, blob.digest)) return
  spoiled(client, answer, `${repository.name}@${blob.digest} came with other bytes (${answer.body.length})`)
}

/** Pulls a piece of a blob. */
export async function pullRange(client: Client, repository: RepositoryModel, blob: KnownBlob): Promise<void> {
  const { bytes, digest } = blob
  if (bytes.length === 0) return
  const first = client.random.integer(0, bytes.length - 1)
  const last = client.random.integer(first, bytes.length - 1)
  const headers = { range: `bytes=${first}-${last}` }
  const answer = await client.call({ path: `/v2/${repository.name}/blobs/${digest}`, headers })
  if (answer === null) return
  judgeBlob(client, repository, blob, answer)
  if (answer.status !== 206 || answer.body.equals(bytes.subarray(first, last + 1))) return
  spoiled(client, answer, `bytes ${first}–${last} of ${repository.name}@${digest} are others`)
}

/** Asks whether a blob is here. Who hears that it is may rely on it for half a lease. */
export async function headBlob(client: Client, repository: RepositoryModel, blob: KnownBlob): Promise<void> {
  const answer = await client.call({ method: 'HEAD', path: `/v2/${repository.name}/blobs/${blob.digest}` })
  if (answer === null) return
  judgeBlob(client, repository, blob, answer)
  if (answer.status === 200) repository.heardOf(blob.digest, answer.span)
}

function judgeBlob(client: Client, repository: RepositoryModel, blob: KnownBlob, answer: Answer): void {
  const { digest, cid } = blob
  const here = answer.status === 200 || answer.status === 206
  if (!here && answer.status !== 404)
    return client.violation(`${repository.name}@${digest} cannot be read`, answer)
  client.sawBlob(repository, digest, here, answer.span)
  if (here && answer.header('openregistry-cid') !== cid)
    client.violation(`the CID of ${digest} is wrong`, answer)
}

/** Wrong bytes of a backend reach a client that can tell; anything else is ours. */
function spoiled(client: Client, answer: Answer, text: string): void {
  if (!client.world.faultTimes.overlap(answer.span)) client.violation(text)
}

/** Pulls what a tag points to. */
export async function pullTag(client: Client, repository: RepositoryModel, tag: string): Promise<void> {
  const method = client.oneIn(3) ? 'HEAD' : 'GET'
  const answer = await client.call({ method, path: `/v2/${repository.name}/manifests/${tag}` })
  if (answer === null) return
  if (answer.status === 404) return client.sawTag(repository, tag, null, answer.span)
  const digest = answer.header('docker-content-digest') as Digest
  if (answer.status !== 200) return client.violation(`${repository.name}:${tag} cannot be read`, answer)
  client.sawTag(repository, tag, digest, answer.span)
  client.sawManifest(repository, digest, true, answer.span)
  if (method === 'GET') compareManifest(client, repository, digest, answer)
}

/** Pulls a manifest by its digest. */
export async function pullManifest(
  client: Client,
  repository: RepositoryModel,
  digest: Digest,
): Promise<void> {
  const answer = await client.call({ path: `/v2/${repository.name}/manifests/${digest}` })
  if (answer === null) return
  if (answer.status !== 200 && answer.status !== 404)
    return client.violation(`${repository.name}@${digest} cannot be read`, answer)
  client.sawManifest(repository, digest, answer.status === 200, answer.span)
  if (answer.status === 200) compareManifest(client, repository, digest, answer)
}

function compareManifest(client: Client, repository: RepositoryModel, digest: Digest, answer: Answer): void {
  const content = repository.manifests.get(digest)?.content
  const same =
    content?.bytes.equals(answer.body) === true && answer.header('content-type') === content.mediaType
  if (!same) client.violation(`the manifest ${repository.name}@${digest} came back changed`, answer)
}
