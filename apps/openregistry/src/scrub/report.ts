import type {
  BlobUse,
  Damage,
  Milliseconds,
  RepairedPlace,
  StorageKey,
  UnrepairedPlace,
} from '@openregistry/core'
import type { Digest, RepositoryName } from '@openregistry/oci'
import { CommandError } from '../exit-codes.ts'
import { formatBytes, formatCount } from '../terminal/amounts.ts'
import { paletteOf } from '../terminal/colors.ts'
import { print, printJson, say } from '../terminal/print.ts'

/** A place whose bytes are not good now. */
export interface DamagedPlace {
  digest: Digest
  size: number
  state: 'damaged' | 'missing'
  /** `inline`: in the database. */
  backend: string
  key: StorageKey | null
  /** What was found, when it was found by this call. */
  cause: string | null
  /** Whether the content is served from another place. */
  served: boolean
  repositories: BlobUse[]
}

/** What a call of the command has come to. */
export interface ScrubSummary {
  /** Whether it went to its end. */
  complete: boolean
  /** Whether it went on with a pass that was stopped. */
  resumed: boolean
  repository: RepositoryName | null
  /** Read by this call. */
  objects: number
  bytes: number
  /** Damage that this call has found. */
  found: Damage[]
  /** Damage that there is. */
  damaged: DamagedPlace[]
  moreDamaged: boolean
  recovered: number
  mended: number
  /** Places whose bytes are good again; null when nothing was to be repaired. */
  repaired: RepairedPlace[] | null
  /** Those that could not be repaired, and why. */
  remaining: UnrepairedPlace[]
  /** Whether nothing is stored at all. */
  empty: boolean
  /** Objects that backends hold. */
  listed: number
  surplus: number
  deleted: number
  withheld: number
  unlisted: string[]
  /** When a surplus object is deleted after it was found first. */
  surplusAge: Milliseconds
}

/**
 * Prints the summary.
 * @throws CommandError when something is damaged, or the command was stopped.
 */
export function reportScrub(summary: ScrubSummary, json: boolean): void {
  if (json) printJson(jsonOf(summary))
  else printSummary(summary)
  const { complete, damaged } = summary
  if (damaged.length > 0) {
    const count = `${formatCount(damaged.length, 'stored object')}${summary.moreDamaged ? ' or more' : ''}`
    throw new CommandError(`${count} damaged or missing.`)
  }
  if (!complete) throw new CommandError('stopped; the same command goes on where it was.')
}

function jsonOf(summary: ScrubSummary) {
  const { complete, resumed, objects, bytes, damaged, recovered, mended } = summary
  const { listed, surplus, deleted, withheld, unlisted, repaired, remaining } = summary
  return {
    complete,
    resumed,
    objects,
    bytes,
    damaged,
    recovered,
    mended,
    ...(repaired === null ? {} : { repaired, remaining }),
    listed,
    surplus: { found: surplus, deleted, withheld },
    unlisted,
  }
}

function printSummary(summary: ScrubSummary): void {
  const { objects, bytes, damaged, recovered, mended } = summary
  if (objects === 0 && damaged.length === 0) say(nothingToDo(summary))
  else say(`Read ${formatCount(objects, 'stored object')} of ${formatBytes(bytes)} again.`)
  if (recovered > 0)
    say(`${formatCount(recovered, 'object')} marked before turned out to be good, and served again.`)
  if (mended > 0)
    say(`${formatCount(mended, 'row')} of the database did not match good bytes, and corrected.`)
  printRepairs(summary)
  if (damaged.length > 0) printDamage(summary)
  else if (objects > 0 && summary.complete) say('Nothing is damaged, nothing is missing.')
  sayListings(summary)
}

function nothingToDo({ repository, empty }: ScrubSummary): string {
  if (repository !== null) return `Nothing in ${repository} has to be read again.`
  if (empty) return 'Nothing is stored here yet; push an image first.'
  return 'Nothing has to be read again.'
}

function printRepairs({ repaired }: ScrubSummary): void {
  if (repaired === null) return
  const { good } = paletteOf(process.stdout)
  for (const { digest, size, backend, from } of repaired)
    print(`${good('repaired')} ${digest}, ${formatBytes(size)}, ${backend}, from ${from}`)
  if (repaired.length > 0) say(`${formatCount(repaired.length, 'stored object')} repaired, and served again.`)
}

function printDamage({ damaged, remaining }: ScrubSummary): void {
  const reasons = new Map(remaining.map(({ digest, backend, cause }) => [`${digest} ${backend}`, cause]))
  const { bad, bold } = paletteOf(process.stdout)
  for (const place of damaged) {
    const where = place.key === null ? 'in the database' : `${place.backend} ${place.key}`
    print(`${bad(place.state)} ${place.digest}, ${formatBytes(place.size)}, ${where}`)
    if (place.cause !== null) print(`  ${place.cause}`)
    const names = namesOf([place])
    print(names.length > 0 ? `  needed by ${names.join(', ')}` : '  no repository reads it any more')
    const reason = reasons.get(`${place.digest} ${place.backend}`)
    if (reason !== undefined) print(`  not repaired: ${reason}`)
    if (place.served) print('  the same content is good at another place, and served from there')
  }
  const again = namesOf(damaged.filter(({ served }) => !served))
  if (again.length === 0) return
  say(bold('Push again, from where they were built or from another registry:'))
  for (const name of again) say(`  ${name}`)
  say('A push replaces what is damaged. Until then the registry answers that it does not have it.')
  const all = damaged.every(({ state, key }) => state === 'missing' && key !== null)
  if (all && damaged.length > 1) {
    const isDisk = damaged.every(({ backend }) => backend === 'disk')
    const question = isDisk
      ? 'is the folder of dfs.disk.path mounted'
      : 'is it the same bucket, and all of it there'
    say(`Every one of them is missing, none is damaged: ${question}?`)
    say('If it was not, mend that and call "openregistry scrub" again: what is there again is served again.')
  }
}

/** Images by tag, or by digest where they have none. */
function namesOf(places: readonly DamagedPlace[]): string[] {
  const names = new Set<string>()
  for (const { repository, images } of places.flatMap((place) => place.repositories)) {
    if (images.length === 0) names.add(repository)
    for (const { digest, tags } of images) {
      for (const tag of tags) names.add(`${repository}:${tag}`)
      if (tags.length === 0 && !images.some((image) => image.tags.length > 0))
        names.add(`${repository}@${digest}`)
    }
  }
  return [...names]
}

function sayListings({ surplus, deleted, withheld, unlisted, surplusAge }: ScrubSummary): void {
  const waiting = surplus - deleted - withheld
  if (deleted > 0) say(`${formatCount(deleted, 'object')} that nothing names will be deleted by the server.`)
  if (waiting > 0) {
    const hours = Math.ceil(surplusAge / 3600_000)
    say(
      `${formatCount(waiting, 'object')} that nothing names: kept for ${formatCount(hours, 'hour')} after being found.`,
    )
  }
  if (withheld > 0) {
    say(
      `${formatCount(withheld, 'object')} that nothing names: kept, since that is more than a tenth of what is stored. ` +
        'Is this the database that belongs to these blobs? If so, --delete-surplus deletes them.',
    )
  }
  for (const backend of unlisted) {
    say(`The backend ${backend} cannot list what it holds, so nobody knows what it holds besides.`)
  }
}
