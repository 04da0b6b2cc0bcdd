import { parseImageReference } from '@openregistry/oci'
import type { TagStorageFacts } from '@openregistry/sdk'
import { CommandError, exitCodes } from '../exit-codes.ts'
import { formatAgo, formatBytes } from '../terminal/amounts.ts'
import { print, printJson, say } from '../terminal/print.ts'
import { table, type Column } from '../terminal/table.ts'
import type { ClientOptions } from './client-options.ts'
import { allOf } from './list.ts'
import { openClient } from './open-client.ts'

/** `openregistry ls --storage <repository>`: where the content of its tags is. */
export async function listStorage(repository: string | undefined, options: ClientOptions): Promise<void> {
  if (repository === undefined)
    throw usage('--storage goes with a repository: openregistry ls --storage me/app')
  const { registry, repository: name, tag, digest } = parseImageReference(repository)
  if (tag !== null || digest !== null)
    throw usage(`${repository} is one image; "openregistry inspect ${repository}" shows where its parts are.`)
  const client = await openClient(options, registry)
  const tags = await allOf((request) => client.api.storage(name, request))
  if (options.json) return printJson({ repository: name, tags })
  if (tags.length === 0) return say(`${name} has no tags.`)
  const now = new Date()
  const columns: Column<TagStorageFacts>[] = [
    { title: 'TAG', value: ({ name }) => name },
    { title: 'BLOBS', value: ({ blobs }) => String(blobs), align: 'right' },
    { title: 'SIZE', value: ({ bytes }) => formatBytes(bytes), align: 'right' },
    { title: 'STORED', value: describePlaces },
    { title: 'VERIFIED', value: (tag) => verified(tag, now) },
    // Nothing to say where no backend is on IPFS, and nothing is announced.
    ...(tags.some(({ pinned }) => pinned.length > 0) ? [pinnedColumn] : []),
    ...(tags.some(({ announced }) => announced !== null) ? [announcedColumn(now)] : []),
  ]
  print(table(columns, tags))
}

const pinnedColumn: Column<TagStorageFacts> = {
  title: 'PINNED',
  value: ({ pinned }) => pinned.map(({ backend }) => backend).join(', '),
}

function announcedColumn(now: Date): Column<TagStorageFacts> {
  return {
    title: 'ANNOUNCED',
    value: ({ announced }) => (announced === null ? '' : formatAgo(new Date(announced), now)),
  }
}

function usage(message: string): CommandError {
  return new CommandError(message, { exitCode: exitCodes.usage })
}

/** Backends that have all of it by their names, the others with how much they have; what lies in the database is everywhere. */
export function describePlaces({ blobs, stored, missing }: TagStorageFacts): string {
  const inline = stored.find(({ backend }) => backend === 'inline')?.blobs ?? 0
  const backends = stored.filter(({ backend }) => backend !== 'inline')
  const parts = backends.map((place) => {
    return place.blobs + inline >= blobs
      ? place.backend
      : `${place.backend} ${place.blobs} of ${blobs - inline}`
  })
  if (backends.length === 0 && inline > 0) parts.push('inline')
  if (missing > 0) parts.push(`${missing} not here`)
  return parts.join(', ') || 'nothing to store'
}

function verified({ stored }: TagStorageFacts, now: Date): string {
  const oldest = stored.map(({ verifiedAt }) => verifiedAt).sort()[0]
  return oldest === undefined ? '' : formatAgo(new Date(oldest), now)
}
