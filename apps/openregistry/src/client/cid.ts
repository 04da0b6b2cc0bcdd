import { parseImageReference } from '@openregistry/oci'
import type { ImageForm } from '@openregistry/sdk'
import { print, printJson, say } from '../terminal/print.ts'
import type { ClientOptions } from './client-options.ts'
import { openClient } from './open-client.ts'

/** Names of tags that a line has room for. */
const namedAtMost = 5

/** Options of `openregistry cid`. */
export interface CidOptions extends ClientOptions {
  form: ImageForm
}

/** `openregistry cid`: the CID alone, so that it can be given to another program. */
export async function cid(target: string, options: CidOptions): Promise<void> {
  const { registry, repository, tag, digest } = parseImageReference(target)
  const client = await openClient(options, registry)
  const facts = await client.api.cid(repository, digest ?? tag, { form: options.form })
  if (options.json) return printJson(facts)
  print(facts.cid)
  if (facts.ipns !== null) say(`The name that always leads to the newest one: /ipns/${facts.ipns}`)
  if (facts.visibility === 'private') {
    say(
      `${facts.repository} is private: nothing is found under ${facts.ipns === null ? 'this CID' : 'either'} until it is made public.`,
    )
  }
  if (facts.leftOut.length > 0) {
    const more = facts.leftOut.length - namedAtMost
    const named = facts.leftOut.slice(0, namedAtMost).join(', ') + (more > 0 ? ` and ${more} more` : '')
    say(`Left out, because not all of their images is here: ${named}.`)
  }
}
