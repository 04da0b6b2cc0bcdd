import { parseImageReference } from '@openregistry/oci'
import type { Visibility } from '@openregistry/sdk'
import { CommandError, exitCodes } from '../exit-codes.ts'
import { printJson, say } from '../terminal/print.ts'
import type { ClientOptions } from './client-options.ts'
import { openClient } from './open-client.ts'

/** `openregistry repository set` */
export async function setRepository(
  target: string,
  options: ClientOptions & { visibility: Visibility },
): Promise<void> {
  const { registry, repository, tag, digest } = parseImageReference(target)
  if (tag !== null || digest !== null) {
    throw new CommandError(
      `Visibility is of a repository, not of one image: leave out what follows ${repository}.`,
      {
        exitCode: exitCodes.usage,
      },
    )
  }
  const client = await openClient(options, registry)
  const facts = await client.api.setVisibility(repository, options.visibility)
  if (options.json) return printJson(facts)
  const meaning = facts.visibility === 'public' ? 'everybody may pull from it' : 'only users may pull from it'
  say(`${facts.name} is ${facts.visibility}: ${meaning}.`)
}
