import { dagPbCid, ipnsName, type Cid } from '@openregistry/dag'
import { RegistryError, type Digest, type Reference, type RepositoryName, type Tag } from '@openregistry/oci'
import { authorize } from '../access/authorize.ts'
import type { Principal } from '../access/principal.ts'
import type { Visibility } from '../ports/metadata-store.ts'
import type { Ports } from '../settings.ts'
import { keepNerdctlForm } from './keep-nerdctl-form.ts'
import { computeLayout, isReady } from './layout-of.ts'
import { buildDirectory } from './repository-directory.ts'
import { storeDirectory } from './store-directory.ts'

/**
 * What of an image a CID leads to: a complete OCI image layout, or the descriptor from which nerdctl and the stargz snapshotter
 * go on by `ipfs://` addresses.
 */
export type ImageForm = 'layout' | 'nerdctl'

/** The CID of an image. */
export interface ImageCid {
  /** Of the image as it was pushed. */
  digest: Digest
  cid: Cid
  /** Bytes of all blocks, the image's included. */
  size: number
  /** Whether anybody can fetch it: the repository is public. */
  visibility: Visibility
}

/**
 * The CID under which the whole image is one OCI image layout, or has another form: a function of the manifest's digest alone.
 * That of a private image can be computed by whoever may pull it, and nothing is found under it.
 * @throws RegistryError `UNAUTHORIZED`, `NAME_UNKNOWN`, `MANIFEST_UNKNOWN`; `CONFLICT` with `detail.missing` when parts of
 * the image are not here.
 */
export async function imageCid(
  ports: Ports,
  principal: Principal,
  input: { repository: RepositoryName; reference: Reference; form?: ImageForm },
): Promise<ImageCid> {
  const { repository, reference, form = 'layout' } = input
  const found = await ports.metadata.findManifest(repository, reference, { bytes: false })
  authorize(principal, 'pull', repository, found?.repository ?? null)
  if (found === null) throw new RegistryError('NAME_UNKNOWN', `There is no repository "${repository}" here.`)
  if (found.manifest === null) throw new RegistryError('MANIFEST_UNKNOWN')
  const { digest } = found.manifest
  const { visibility } = found.repository
  if (form === 'nerdctl') {
    return { digest, visibility, ...(await keepNerdctlForm(ports, found.repository, digest)) }
  }
  const known = (await ports.metadata.findLayout(repository, digest))?.layout ?? null
  const layout = isReady(known, visibility) ? known : await computeLayout(ports, { repository, digest })
  if (layout instanceof RegistryError) throw layout
  return { digest, cid: dagPbCid(layout.root), size: layout.size, visibility }
}

/** The CID of a repository. */
export interface RepositoryCid {
  cid: Cid
  /** Bytes of all blocks, those of the images included. */
  size: number
  visibility: Visibility
  /** The name in IPNS that leads to the newest directory as long as the repository is public; null when names are off. */
  ipns: string | null
  /** How many tags are in it. */
  tags: number
  /** Tags that are not: their images are not whole here. */
  leftOut: Tag[]
}

/**
 * The CID of the directory in which each tag of a repository is the layout of its image. It is another one after each push.
 * @throws RegistryError `UNAUTHORIZED`, `NAME_UNKNOWN`.
 */
export async function repositoryCid(
  ports: Ports,
  principal: Principal,
  { repository }: { repository: RepositoryName },
): Promise<RepositoryCid> {
  const facts = await ports.metadata.findRepository(repository)
  authorize(principal, 'pull', repository, facts)
  const directory = facts === null ? null : await buildDirectory(ports, repository)
  if (directory === null) {
    throw new RegistryError('NAME_UNKNOWN', `There is no repository "${repository}" here.`)
  }
  const { cid, size, tags, leftOut } = directory
  const { id, visibility } = directory.repository
  const ipns = ports.names === null ? null : ipnsName(ports.names.publicKey(id))
  if (visibility === 'public') await storeDirectory(ports, directory)
  return { cid, size, visibility, ipns, tags, leftOut }
}
