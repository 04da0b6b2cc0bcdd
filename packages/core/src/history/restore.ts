import { RegistryError, type Digest, type RepositoryName, type Tag } from '@openregistry/oci'
import { authorize } from '../access/authorize.ts'
import { principalName, type Principal } from '../access/principal.ts'
import type { RestoredManifest } from '../ports/history.ts'
import type { Milliseconds } from '../ports/metadata-store.ts'
import { placementOf } from '../placement/rules.ts'
import type { Ports } from '../settings.ts'

/** A tag (as it was before its last change, at a moment, or pointing to this manifest), or a manifest with its tags. */
export type RestoreWish =
  { tag: Tag; digest: Digest | null; at: Milliseconds | null } | { tag: null; digest: Digest; at: null }

/** What to bring back, and where. */
export type RestoreInput = { repository: RepositoryName } & RestoreWish

/** What is here again. */
export interface Restored extends RestoredManifest {
  digest: Digest
}

/**
 * Points a deleted or moved tag back, and undeletes what it needs.
 * @throws RegistryError `UNAUTHORIZED`, `DENIED`, `NAME_UNKNOWN`, `PARAMETER_INVALID`, `MANIFEST_UNKNOWN` when there is
 * nothing to go back to, `MANIFEST_BLOB_UNKNOWN` when its content is gone, `CONFLICT` when it lies where it may not.
 */
export async function restore(ports: Ports, principal: Principal, input: RestoreInput): Promise<Restored> {
  const { metadata } = ports
  const { repository, tag } = input
  const facts = await metadata.findRepository(repository)
  authorize(principal, 'push', repository, facts)
  authorize(principal, 'tag:overwrite', repository, facts)
  if (facts === null) throw new RegistryError('NAME_UNKNOWN', `There is no repository "${repository}" here.`)
  const digest = tag === null ? input.digest : await targetOf(ports, input)
  const [who, rules] = [principalName(principal), placementOf(ports)]
  const restored = await metadata.restoreManifest({ repository, digest, tag, principal: who, rules })
  if (restored === null) {
    throw new RegistryError(
      'MANIFEST_UNKNOWN',
      `${digest} is not in ${repository}: it never was, or it was deleted and its space was given back. Push it again.`,
    )
  }
  return { digest, ...restored }
}

/** What the tag is to point to. */
async function targetOf(
  { metadata }: Ports,
  { repository, tag, digest, at }: Extract<RestoreInput, { tag: Tag }>,
): Promise<Digest> {
  if (digest !== null && at !== null)
    throw new RegistryError('PARAMETER_INVALID', 'Name a digest or a moment, not both.')
  if (digest !== null) return digest
  const after = at === null ? null : ((await metadata.findTagChangeAt(repository, tag, at)) ?? 0) + 1
  const found = await metadata.listTagHistory(repository, tag, { after, limit: 1 })
  const change = found?.page.items[0]
  if (change === undefined) {
    const when = at === null ? 'ever' : 'yet at that time'
    throw new RegistryError('MANIFEST_UNKNOWN', `There was no tag "${tag}" in ${repository} ${when}.`)
  }
  const target = at === null ? change.from : change.to
  if (target !== null) return target
  throw new RegistryError(
    'MANIFEST_UNKNOWN',
    at === null
      ? `The tag "${tag}" was not there before its last change; there is nothing to go back to.`
      : `The tag "${tag}" was deleted at that time.`,
  )
}
