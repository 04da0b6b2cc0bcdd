import { parseImageReference } from '@openregistry/oci'
import { CommandError, exitCodes } from '../exit-codes.ts'
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
  if (tag !== null) {
    await confirm(`Delete the tag ${tag} of ${repository} ${where}?`, options)
    await client.oci.deleteManifest(repository, tag)
  } else if (digest !== null) {
    await confirm(`Delete ${repository}@${digest} ${where}, with every tag on it?`, options)
    await client.oci.deleteManifest(repository, digest)
  } else {
    await confirm(`Delete the repository ${repository} ${where}, with everything in it?`, options)
    await client.api.deleteRepository(repository)
  }
  if (options.json) printJson({ deleted: { repository, tag, digest } })
  else say(`Deleted ${tag === null && digest === null ? 'the repository ' : ''}${target}.`)
}
