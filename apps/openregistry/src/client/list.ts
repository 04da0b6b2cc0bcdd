import { parseImageReference, type RepositoryName } from '@openregistry/oci'
import type { ListPage, ListRequest, RegistryClient, RepositoryFacts, TagFacts } from '@openregistry/sdk'
import { CommandError, exitCodes } from '../exit-codes.ts'
import { formatAgo, shortDigest } from '../terminal/amounts.ts'
import { print, printJson, say } from '../terminal/print.ts'
import { table, type Column } from '../terminal/table.ts'
import type { ClientOptions } from './client-options.ts'
import { openClient } from './open-client.ts'

/** `openregistry ls`: the repositories. */
export async function listRepositories(options: ClientOptions): Promise<void> {
  const client = await openClient(options)
  const repositories = await allOf((request) => client.api.repositories(request))
  if (options.json) return printJson({ repositories })
  if (repositories.length === 0) return sayHowToPush(client, 'me/app', 'There are no repositories yet.')
  const columns: Column<RepositoryFacts>[] = [
    { title: 'REPOSITORY', value: ({ name }) => name },
    { title: 'VISIBILITY', value: ({ visibility }) => visibility },
  ]
  print(table(columns, repositories))
}

/** `openregistry ls <repository>`: its tags. */
export async function listTags(repository: string, options: ClientOptions): Promise<void> {
  const { registry, repository: name, tag, digest } = parseImageReference(repository)
  if (tag !== null || digest !== null) {
    throw new CommandError(`${repository} is one image; "openregistry inspect ${repository}" shows it.`, {
      exitCode: exitCodes.usage,
    })
  }
  const client = await openClient(options, registry)
  const tags = await allOf((request) => client.api.tags(name, request))
  if (options.json) return printJson({ repository: name, tags })
  if (tags.length === 0) return sayHowToPush(client, name, `${name} has no tags.`)
  const now = new Date()
  const columns: Column<TagFacts>[] = [
    { title: 'TAG', value: (tag) => tag.name },
    { title: 'DIGEST', value: ({ digest }) => shortDigest(digest) },
    { title: 'KIND', value: ({ mediaType }) => kindOf(mediaType) },
    { title: 'UPDATED', value: ({ updatedAt }) => formatAgo(new Date(updatedAt), now) },
  ]
  print(table(columns, tags))
}

/** All entries of a list, page by page. */
export async function allOf<T>(ask: (request: ListRequest) => Promise<ListPage<T>>): Promise<T[]> {
  const items: T[] = []
  let page = await ask({})
  items.push(...page.items)
  while (page.next !== null) {
    page = await ask({ after: page.next })
    items.push(...page.items)
  }
  return items
}

/** What a manifest's media type means to people. */
export function kindOf(mediaType: string): string {
  if (/manifest\.list|image\.index/.test(mediaType)) return 'index'
  if (/image\.manifest|distribution\.manifest/.test(mediaType)) return 'image'
  return mediaType
}

function sayHowToPush({ server }: RegistryClient, name: RepositoryName | string, first: string): void {
  const image = `${new URL(server).host}/${name}:1`
  say(`${first} Push one:\n  docker tag IMAGE ${image}\n  docker push ${image}`)
}
