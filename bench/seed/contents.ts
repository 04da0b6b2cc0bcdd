import { hash } from 'node:crypto'
import { manifestMediaType } from '../client/registry-calls.ts'

/** How large a registry is made before it is started. */
export interface SeedSizes {
  /** Beside `bench/tags` and `bench/referrers`, each with one image. */
  repositories: number
  /** Blobs of each of them that no other has. */
  blobsOfEach: number
  /** Tags of `bench/tags`, each with a manifest of its own. */
  tags: number
  /** Manifests of `bench/referrers` that name one subject. */
  referrers: number
}

/** Bytes and their digest. */
export interface SeedBlob {
  digest: string
  bytes: Buffer
}

/** A manifest with the blobs that it names. */
export interface SeedManifest extends SeedBlob {
  mediaType: string
  artifactType: string | null
  subject: string | null
  annotations: Readonly<Record<string, string>>
  /** A blob may be in many manifests of its repository, but in no other repository. */
  blobs: readonly SeedBlob[]
  tag: string | null
}

/** A repository; its manifests are made while they are read. */
export interface SeedRepository {
  name: string
  manifests(): Iterable<SeedManifest>
}

/** Type of the manifests that refer to the subject. */
export const referrerType = 'application/vnd.example.signature.v1'

function blob(text: string): SeedBlob {
  const bytes = Buffer.from(text)
  return { bytes, digest: `sha256:${hash('sha256', bytes, 'hex')}` }
}

function descriptor(mediaType: string, { digest, bytes }: SeedBlob): object {
  return { mediaType, digest, size: bytes.length }
}

const configType = 'application/vnd.oci.image.config.v1+json'
const layerType = 'application/vnd.oci.image.layer.v1.tar'

function image(
  blobs: readonly [SeedBlob, ...SeedBlob[]],
  title: string,
  { tag = null, subject = null }: { tag?: string | null; subject?: SeedManifest | null },
): SeedManifest {
  const [config, ...layers] = blobs
  const artifactType = subject === null ? null : referrerType
  const annotations = { 'org.opencontainers.image.title': title }
  const manifest = {
    schemaVersion: 2,
    mediaType: manifestMediaType,
    ...(artifactType === null ? {} : { artifactType }),
    config: descriptor(configType, config),
    layers: layers.map((layer) => descriptor(layerType, layer)),
    ...(subject === null ? {} : { subject: descriptor(manifestMediaType, subject) }),
    annotations,
  }
  return {
    ...blob(JSON.stringify(manifest)),
    mediaType: manifestMediaType,
    artifactType,
    subject: subject?.digest ?? null,
    annotations,
    blobs,
    tag,
  }
}

function config(name: string): SeedBlob {
  const rootfs = { type: 'layers', diff_ids: [] }
  return blob(JSON.stringify({ architecture: 'amd64', os: 'linux', config: { Labels: { name } }, rootfs }))
}

function numbered(prefix: string, index: number): string {
  return `${prefix}${String(index).padStart(6, '0')}`
}

/** Name of one of the many repositories, in the order of their numbers. */
export function seedRepositoryName(index: number): string {
  return numbered('large/r', index)
}

function* manifestsOf(index: number, blobs: number): Generator<SeedManifest> {
  const name = seedRepositoryName(index)
  const layers = Array.from({ length: blobs - 1 }, (_, layer) => blob(`layer ${layer} of ${name}\n`))
  yield image([config(name), ...layers], name, { tag: 'v1' })
}

function* taggedManifests(count: number): Generator<SeedManifest> {
  const shared = Array.from({ length: 100 }, (_, index) => blob(`shared layer ${index}\n`.repeat(500)))
  const only = config('tags')
  for (let index = 0; index < count; index++) {
    const tag = numbered('v', index)
    const layers = [0, 1, 2].map((layer) => shared[(index + layer) % shared.length] as SeedBlob)
    yield image([only, ...layers], tag, { tag })
  }
}

/** How many name the second subject of `bench/referrers`. */
export const fewReferrers = 5

/** Two images, and manifests that name them as their subjects: `count` the first one, a few the second. */
export function* referringManifests(count: number): Generator<SeedManifest> {
  const blobs: [SeedBlob, SeedBlob] = [blob('{}'), blob('a signature\n')]
  for (const [name, referrers] of [
    ['many', count],
    ['few', fewReferrers],
  ] as const) {
    const subject = image([config(name), blob(`layer of ${name}\n`)], name, { tag: name })
    yield subject
    for (let index = 0; index < referrers; index++) {
      yield image(blobs, numbered(`signature of ${name} `, index), { subject })
    }
  }
}

/** The repositories that all requests of the small registry have their counterpart in. */
export const tagsRepository = 'bench/tags'
export const referrersRepository = 'bench/referrers'

/** Everything a large registry holds, the same at every call. */
export function* seedRepositories(sizes: SeedSizes): Generator<SeedRepository> {
  const { repositories, blobsOfEach, tags, referrers } = sizes
  yield { name: referrersRepository, manifests: () => referringManifests(referrers) }
  yield { name: tagsRepository, manifests: () => taggedManifests(tags) }
  for (let index = 0; index < repositories; index++) {
    yield { name: seedRepositoryName(index), manifests: () => manifestsOf(index, blobsOfEach) }
  }
}
