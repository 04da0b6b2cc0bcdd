import { parseImageReference, type ImageReference } from '@openregistry/oci'
import type { RegistryClient } from '@openregistry/sdk'
import { CommandError, exitCodes } from '../exit-codes.ts'
import { formatMoment } from '../terminal/moments.ts'
import { confirm, printJson, say } from '../terminal/print.ts'
import type { ClientOptions } from './client-options.ts'
import { openClient } from './open-client.ts'

/** `openregistry rm`: a tag, a manifest with its tags, or a repository with everything in it. */
export async function remove(target: string, options: ClientOptions & { yes?: boolean }): Promise<void> {
  const { registry, repository, tag, digest } = parseImageReference(target)
  if (tag !== null && digest !== null) {
    throw new CommandError(
      `Name the tag (${tag}) or the digest, not both: one goes, or everything that is it.`,
      {
        exitCode: exitCodes.usage,
      },
    )
  }
  const client = await openClient(options, registry)
  const where = `on ${new URL(client.server).host}`
  const restorableUntil = await removeFrom(client, where, { repository, tag, digest }, options)
  if (options.json) return printJson({ deleted: { repository, tag, digest }, restorableUntil })
  const isRepository = tag === null && digest === null
  say(`Deleted ${isRepository ? 'the repository ' : ''}${target}.`)
  if (isRepository) return
  const server = options.server === undefined ? '' : ` --server ${options.server}`
  const until =
    restorableUntil === null ? '' : `, until ${formatMoment(new Date(restorableUntil))} for certain`
  say(`To undo that${until}:\n  openregistry tag restore ${target}${server}`)
}

/** Asks, deletes, and says until when that can be undone, if the registry says so. */
async function removeFrom(
  client: RegistryClient,
  where: string,
  { repository, tag, digest }: Pick<ImageReference, 'repository' | 'tag' | 'digest'>,
  options: { yes?: boolean },
): Promise<string | null> {
  if (tag !== null) {
    await confirm(`Delete the tag ${tag} of ${repository} ${where}?`, options)
    return (await client.oci.deleteManifest(repository, tag)).restorableUntil
  }
  if (digest !== null) {
    await confirm(`Delete ${repository}@${digest} ${where}, with every tag on it?`, options)
    return (await client.oci.deleteManifest(repository, digest)).restorableUntil
  }
  await confirm(
    `Delete the repository ${repository} ${where}, with everything in it? That cannot be undone.`,
    options,
  )
  await client.api.deleteRepository(repository)
  return null
}
