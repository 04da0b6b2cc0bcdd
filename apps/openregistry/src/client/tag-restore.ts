import { isDigest, parseImageReference, type Digest, type RepositoryName, type Tag } from '@openregistry/oci'
import type { RegistryClient, RestoredFacts, RestoreRequest } from '@openregistry/sdk'
import { CommandError, exitCodes } from '../exit-codes.ts'
import { formatCount } from '../terminal/amounts.ts'
import { printJson, say } from '../terminal/print.ts'
import type { ClientOptions } from './client-options.ts'
import { openClient } from './open-client.ts'
import { readMoment } from './tag-history.ts'

/** What `tag restore` takes besides. */
interface RestoreOptions extends ClientOptions {
  to?: string
  at?: string
}

/** `openregistry tag restore`: a tag as it was, or a deleted manifest with the tags that went with it. */
export async function tagRestore(target: string, options: RestoreOptions): Promise<void> {
  const { registry, repository, tag, digest } = parseImageReference(target)
  if (tag === null && digest === null) {
    throw usage(
      `Name the tag or the digest to bring back; "openregistry tag history ${target}" shows what there was.`,
    )
  }
  if ([digest, options.to, options.at].filter((given) => given !== undefined && given !== null).length > 1)
    throw usage('Say once what to go back to: a digest in the name, --to, or --at.')
  if (tag === null && (options.to !== undefined || options.at !== undefined))
    throw usage('--to and --at go with a tag.')
  const client = await openClient(options, registry)
  const restored = await client.api.restore(
    repository,
    await wishOf(client, repository, tag, digest, options),
  )
  if (options.json) return printJson(restored)
  say(outcome(target, tag, restored))
}

function usage(message: string): CommandError {
  return new CommandError(message, { exitCode: exitCodes.usage })
}

async function wishOf(
  client: RegistryClient,
  repository: RepositoryName,
  tag: Tag | null,
  digest: Digest | null,
  { to, at }: RestoreOptions,
): Promise<RestoreRequest> {
  if (tag === null) return { digest: digest as Digest }
  if (digest !== null) return { tag, digest }
  if (at !== undefined) return { tag, at: readMoment(at).toISOString() }
  if (to === undefined) return { tag }
  return { tag, digest: isDigest(to) ? to : await complete(client, repository, tag, to) }
}

/** The digest of the tag's history that begins like this: tables show twelve digits. */
async function complete(
  client: RegistryClient,
  repository: RepositoryName,
  tag: Tag,
  beginning: string,
): Promise<Digest> {
  if (!/^(sha256:|sha512:)?[0-9a-f]{6,}$/.test(beginning))
    throw usage(
      `--to ${beginning} is no digest; "openregistry tag history ${repository}:${tag}" shows those it had.`,
    )
  const found = new Set<Digest>()
  let after: string | undefined
  do {
    const page = await client.api.tagHistory(repository, { tag, ...(after === undefined ? {} : { after }) })
    for (const { from, to } of page.items) {
      for (const had of [from, to]) if (had !== null && begins(had, beginning)) found.add(had)
    }
    after = page.next ?? undefined
  } while (after !== undefined)
  const [only] = found
  if (only !== undefined && found.size === 1) return only
  throw new CommandError(
    only === undefined
      ? `${repository}:${tag} never was ${beginning}; give the whole digest if that is meant.`
      : `${repository}:${tag} was several that begin with ${beginning}: ${[...found].join(', ')}.`,
  )
}

function begins(digest: Digest, beginning: string): boolean {
  return digest.startsWith(beginning) || digest.slice(digest.indexOf(':') + 1).startsWith(beginning)
}

function outcome(target: string, tag: Tag | null, restored: RestoredFacts): string {
  const { repository, digest, tags, manifests, missing } = restored
  const lines: string[] = []
  if (tag !== null) lines.push(`${repository}:${tag} is ${digest}.`)
  else if (manifests.includes(digest)) lines.push(`${target} is here again.`)
  else lines.push(`${target} is here; it was not deleted.`)
  if (tag === null && tags.length > 0) lines.push(`Its tags too: ${tags.join(', ')}.`)
  const others = manifests.filter((one) => one !== digest).length
  if (others > 0) lines.push(`With it ${formatCount(others, 'manifest')} that it names.`)
  if (missing.length > 0)
    lines.push(
      'What it names besides is not here any more; push it again:',
      ...missing.map((one) => `  ${one}`),
    )
  return lines.join('\n')
}
