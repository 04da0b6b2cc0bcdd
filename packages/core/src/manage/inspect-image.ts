import type { Cid } from '@openregistry/dag'
import {
  parseManifest,
  type Descriptor,
  type ParsedManifest,
  type Reference,
  type RepositoryName,
} from '@openregistry/oci'
import type { Principal } from '../access/principal.ts'
import type { StoredManifest } from '../ports/metadata-store.ts'
import { getManifest } from '../pull/get-manifest.ts'
import type { Ports } from '../settings.ts'

/** A descriptor with where its content is. `cid` and `location` are null when it is not in this repository. */
export interface LocatedDescriptor {
  descriptor: Descriptor
  cid: Cid | null
  /** `inline`, or the name of a backend. */
  location: string | null
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
  const blob = (descriptor: Descriptor): Promise<LocatedDescriptor> =>
    locateBlob(ports, repository, descriptor)
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

async function locateBlob(
  { metadata }: Ports,
  repository: RepositoryName,
  descriptor: Descriptor,
): Promise<LocatedDescriptor> {
  const blob = (await metadata.findBlob(repository, descriptor.digest, { bytes: false }))?.blob ?? null
  const location = blob?.location ?? null
  if (blob === null || location === null) return { descriptor, cid: null, location: null }
  return { descriptor, cid: blob.cid, location: location.kind === 'inline' ? 'inline' : location.backend }
}

async function locateManifest(
  { metadata }: Ports,
  repository: RepositoryName,
  descriptor: Descriptor,
): Promise<LocatedDescriptor> {
  const reference: Reference = { kind: 'digest', digest: descriptor.digest }
  const manifest = (await metadata.findManifest(repository, reference, { bytes: false }))?.manifest ?? null
  return { descriptor, cid: manifest?.cid ?? null, location: manifest === null ? null : 'inline' }
}
