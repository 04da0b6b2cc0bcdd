import type { Digest } from '@openregistry/oci'
import { descriptorOf, imageIndex, imageManifest, type Content } from '@openregistry/testkit'
import type { KnownManifest, RepositoryModel } from '../model/repository-model.ts'
import type { Answer } from './caller.ts'
import type { Client } from './client.ts'
import { ensureBlob } from './push-blob.ts'

const tagNames = ['latest', 'a', 'b', 'c', 'v1'] as const

/** One of few tags, so that clients meet at them. */
export function someTag(client: Client): string {
  return client.random.pick(tagNames)
}

/** One of the manifests that were ever pushed to a repository, deleted ones among them. */
export function someManifest(client: Client, repository: RepositoryModel): KnownManifest | null {
  const all = [...repository.manifests.values()]
  return all[client.random.integer(0, Math.max(0, all.length - 1))]?.content ?? null
}

/** Pushes an image: its blobs where they may be missing, then its manifest by tag, by digest, or by digest with tags. */
export async function pushImage(client: Client, repository: RepositoryModel): Promise<void> {
  const blobs = Array.from({ length: client.random.integer(1, 3) }, () => client.blob())
  for (const blob of blobs) if (!(await ensureBlob(client, repository, blob))) return
  const [config, ...layers] = blobs.map((blob) => descriptorOf(blob))
  if (config === undefined) return
  const subject = client.oneIn(4) ? someManifest(client, repository) : null
  const content = imageManifest({
    config,
    layers,
    annotations: { id: client.random.word(12) },
    ...(subject === null ? {} : { subject: descriptorOf(contentOf(subject)) }),
  })
  const needed = blobs.map(({ digest }) => digest)
  await putManifest(client, repository, known(content, needed, subject?.digest ?? null))
}

/**
 * Pushes something that refers to a manifest, by its digest alone. It needs no blobs: no two who are at work with it meet
 * at the lock of one.
 */
export async function pushReferrer(
  client: Client,
  repository: RepositoryModel,
  subject: KnownManifest,
): Promise<KnownManifest> {
  const content = imageIndex({
    manifests: [],
    annotations: { id: client.random.word(12) },
    subject: descriptorOf(contentOf(subject)),
  })
  const referrer = known(content, [], subject.digest)
  await putManifest(client, repository, referrer, [])
  return referrer
}

/** Pushes an index of manifests of the repository, and of one that never was. */
export async function pushIndex(client: Client, repository: RepositoryModel): Promise<void> {
  const children = [...repository.manifests.values()].slice(0, 3).map(({ content }) => contentOf(content))
  const absent = { digest: `sha256:${client.random.bytes(32).toString('hex')}` as Digest, size: 2 }
  const manifests = children.map((child) => descriptorOf(child))
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  if (client.oneIn(3)) manifests.push({ ...absent, mediaType })
  const content = imageIndex({ manifests, annotations: { id: client.random.word(12) } })
  await putManifest(client, repository, known(content, [], null))
}

/** Pushes a manifest once more: to another tag, or to bring it back. */
export async function pushAgain(client: Client, repository: RepositoryModel): Promise<void> {
  const manifest = someManifest(client, repository)
  if (manifest !== null) await putManifest(client, repository, manifest)
}

function someTags(client: Client, byTag: boolean): string[] {
  if (byTag) return [someTag(client)]
  return client.oneIn(2) ? [...new Set([someTag(client), someTag(client)])] : []
}

/** Pushes a manifest by tag, by digest, or by digest with tags. With `given` ones, by digest with these. */
export async function putManifest(
  client: Client,
  repository: RepositoryModel,
  manifest: KnownManifest,
  given?: readonly string[],
): Promise<void> {
  const byTag = given === undefined && client.oneIn(2)
  const tags = given ?? someTags(client, byTag)
  const query = byTag ? '' : tags.map((tag, index) => `${index === 0 ? '?' : '&'}tag=${tag}`).join('')
  const path = `/v2/${repository.name}/manifests/${byTag ? tags[0] : manifest.digest}${query}`
  const change = repository.putManifest(manifest, tags)
  const headers = { 'content-type': manifest.mediaType }
  const answer = await client.call({ method: 'PUT', path, headers, body: manifest.bytes })
  if (answer === null) return
  if (answer.status === 201) {
    client.acknowledge(change, answer)
    for (const digest of manifest.blobs) client.sawBlob(repository, digest, true, answer.span)
    if (answer.header('docker-content-digest') === manifest.digest) return
    return client.violation(`the manifest ${manifest.digest} was taken under another name`, answer)
  }
  change.refused()
  const missing = missingBlobs(answer)
  if (missing.length === 0) client.violation(`the manifest ${manifest.digest} was refused`, answer)
  for (const digest of missing) client.sawBlob(repository, digest, false, answer.span)
}

/** The blobs that a refusal names. */
function missingBlobs(answer: Answer): Digest[] {
  if (answer.status !== 400 && answer.status !== 404) return []
  const { errors } = answer.json() as { errors?: { detail?: { missing?: Digest[] } }[] }
  return errors?.[0]?.detail?.missing ?? []
}

function known(content: Content, blobs: readonly Digest[], subject: Digest | null): KnownManifest {
  const { digest, mediaType, bytes } = content
  return { digest, mediaType, bytes, blobs: [...new Set(blobs)], subject }
}

function contentOf({ digest, mediaType, bytes }: KnownManifest): Content {
  return { digest, mediaType, bytes }
}
