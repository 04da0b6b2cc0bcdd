import type { Cid } from '@openregistry/dag'
import {
  parseManifest,
  type Descriptor,
  type Digest,
  type ParsedManifest,
  type Reference,
  type RepositoryName,
} from '@openregistry/oci'
import type { Principal } from '../access/principal.ts'
import type { BlobStore } from '../ports/blob-store.ts'
import { pinsLayouts } from '../ports/layout-pins.ts'
import type { StoredManifest } from '../ports/metadata-store.ts'
import { placementOf } from '../placement/rules.ts'
import type { BlobPlace } from '../ports/placement.ts'
import { getManifest } from '../pull/get-manifest.ts'
import type { Ports } from '../settings.ts'

/** A descriptor with where its content is. `cid` and `location` are null when it is not in this repository. */
export interface LocatedDescriptor {
  descriptor: Descriptor
  cid: Cid | null
  /** `inline`, or the name of a backend: where it is read. */
  location: string | null
  /** Every place that has, or had, its bytes for this repository; none for manifests, which are in the database alone. */
  places: readonly BlobPlace[]
  /** Those of them that are on IPFS and pin it: a pin goes with each object there. */
  pinned: readonly string[]
}

/** A manifest with everything that it names. */
export interface InspectedImage {
  manifest: StoredManifest
  parsed: ParsedManifest
  config: LocatedDescriptor | null
  layers: LocatedDescriptor[]
  manifests: LocatedDescriptor[]
}

/**
 * Looks at an image: its manifest, and for each descriptor its CID and where its bytes are.
 * @throws RegistryError as `getManifest`.
 */
export async function inspectImage(
  ports: Ports,
  principal: Principal,
  { repository, reference }: { repository: RepositoryName; reference: Reference },
): Promise<InspectedImage> {
  const manifest = await getManifest(ports, principal, { repository, reference, bytes: true })
  const parsed = parseManifest(manifest.bytes ?? new Uint8Array(), manifest.mediaType)
  const places = await placesOf(ports, repository, parsed)
  const blob = (descriptor: Descriptor): Promise<LocatedDescriptor> =>
    locateBlob(ports, repository, descriptor, places)
  const child = (descriptor: Descriptor): Promise<LocatedDescriptor> =>
    locateManifest(ports, repository, descriptor)
  return {
    manifest,
    parsed,
    config: parsed.config === null ? null : await blob(parsed.config),
    layers: await Promise.all(parsed.layers.map(blob)),
    manifests: await Promise.all(parsed.manifests.map(child)),
  }
}

async function placesOf(
  ports: Ports,
  name: RepositoryName,
  { config, layers }: ParsedManifest,
): Promise<ReadonlyMap<Digest, readonly BlobPlace[]>> {
  const digests = [...(config === null ? [] : [config]), ...layers].map(({ digest }) => digest)
  const { metadata } = ports
  const repository = digests.length === 0 ? null : await metadata.findRepository(name)
  if (repository === null) return new Map()
  const placed = await metadata.listPlaces(repository.id, [...new Set(digests)], placementOf(ports))
  return new Map(placed.map(({ digest, places }) => [digest, places]))
}

async function locateBlob(
  { metadata, backends }: Ports,
  repository: RepositoryName,
  descriptor: Descriptor,
  known: ReadonlyMap<Digest, readonly BlobPlace[]>,
): Promise<LocatedDescriptor> {
  const places = known.get(descriptor.digest) ?? []
  const pinned = places
    .filter(({ state }) => state === 'good')
    .map((place) => place.backend)
    .filter((name) => isPinning(backends.get(name)))
  const blob = (await metadata.findBlob(repository, descriptor.digest, { bytes: false }))?.blob ?? null
  const location = blob?.location ?? null
  if (blob === null || location === null) return { descriptor, cid: null, location: null, places, pinned }
  const backend = location.kind === 'inline' ? 'inline' : location.backend
  return { descriptor, cid: blob.cid, location: backend, places, pinned }
}

function isPinning(store: BlobStore | undefined): boolean {
  return store !== undefined && pinsLayouts(store)
}

async function locateManifest(
  { metadata }: Ports,
  repository: RepositoryName,
  descriptor: Descriptor,
): Promise<LocatedDescriptor> {
  const reference: Reference = { kind: 'digest', digest: descriptor.digest }
  const manifest = (await metadata.findManifest(repository, reference, { bytes: false }))?.manifest ?? null
  const location = manifest === null ? null : 'inline'
  return { descriptor, cid: manifest?.cid ?? null, location, places: [], pinned: [] }
}
