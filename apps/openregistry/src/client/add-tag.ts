import { parseImageReference, parseTag, RegistryError } from '@openregistry/oci'
import { CommandError, exitCodes } from '../exit-codes.ts'
import { printJson, say } from '../terminal/print.ts'
import type { ClientOptions } from './client-options.ts'
import { openClient } from './open-client.ts'

/** `openregistry tag`: gives an image one more tag, without moving its content. */
export async function addTag(image: string, newTag: string, options: ClientOptions): Promise<void> {
  const { registry, repository, tag, digest } = parseImageReference(image)
  const added = parseNewTag(newTag)
  const client = await openClient(options, registry)
  const manifest = await client.oci.getManifest(repository, digest ?? tag ?? parseTag('latest'))
  const stored = await client.oci.putManifest(repository, added, manifest)
  if (options.json) printJson({ repository, tag: added, digest: stored ?? manifest.digest })
  else say(`${repository}:${added} is ${stored ?? manifest.digest ?? image}.`)
}

function parseNewTag(text: string) {
  try {
    return parseTag(text)
  } catch (cause) {
    if (!(cause instanceof RegistryError)) throw cause
    const hint = /[/:]/.test(text) ? ' Give the tag alone; it is set in the same repository.' : ''
    throw new CommandError(`"${text}": ${cause.message}${hint}`, { exitCode: exitCodes.usage, cause })
  }
}
