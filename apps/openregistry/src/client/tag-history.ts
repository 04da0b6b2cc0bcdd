import { parseImageReference } from '@openregistry/oci'
import type { TagChangeFacts } from '@openregistry/sdk'
import { CommandError, exitCodes } from '../exit-codes.ts'
import { formatAgo, shortDigest } from '../terminal/amounts.ts'
import { formatMoment, parseMoment } from '../terminal/moments.ts'
import { print, printJson, say } from '../terminal/print.ts'
import { table, type Column } from '../terminal/table.ts'
import type { ClientOptions } from './client-options.ts'
import { openClient } from './open-client.ts'

/** Changes that are shown unless more are asked for. */
const shownAtFirst = 50

/** `openregistry tag history`: what happened to a tag, or to all tags of a repository. */
export async function tagHistory(
  target: string,
  options: ClientOptions & { at?: string; all?: boolean },
): Promise<void> {
  const { registry, repository, tag, digest } = parseImageReference(target)
  if (digest !== null) throw usage(`A digest never changes: name a tag, or ${repository} for all of them.`)
  if (options.at !== undefined && tag === null) throw usage('--at goes with a tag, such as me/app:latest.')
  const at = options.at === undefined ? undefined : readMoment(options.at)
  const client = await openClient(options, registry)
  const wanted = options.all === true ? Infinity : shownAtFirst
  const changes: TagChangeFacts[] = []
  let next: string | null = null
  do {
    const limit = Math.min(wanted - changes.length, 1000)
    const page = await client.api.tagHistory(repository, {
      ...(tag === null ? {} : { tag }),
      ...(at === undefined ? {} : { at: at.toISOString() }),
      ...(next === null ? {} : { after: next }),
      limit,
    })
    changes.push(...page.items)
    next = page.next
  } while (next !== null && changes.length < wanted)
  if (options.json) return printJson({ repository, tag, changes })
  if (changes.length === 0) return say(nothing(target, at))
  print(table(columnsFor(tag === null), changes))
  if (next !== null) say(`These are the newest ${changes.length}; --all shows every one.`)
}

/** @throws CommandError */
export function readMoment(text: string): Date {
  const moment = parseMoment(text, new Date())
  if (moment !== null) return moment
  throw usage(`--at ${text}: write it like "2026-11-16 09:30", 2026-11-16, monday, yesterday, 36h or 3d.`)
}

function usage(message: string): CommandError {
  return new CommandError(message, { exitCode: exitCodes.usage })
}

function nothing(target: string, at: Date | undefined): string {
  return at === undefined
    ? `Nothing has happened to ${target}.`
    : `${target} was not there yet at ${formatMoment(at)}.`
}

function columnsFor(ofRepository: boolean): Column<TagChangeFacts>[] {
  const now = new Date()
  const tag: Column<TagChangeFacts> = { title: 'TAG', value: (change) => change.tag }
  return [
    {
      title: 'WHEN',
      value: ({ changedAt }) =>
        `${formatMoment(new Date(changedAt))} (${formatAgo(new Date(changedAt), now)})`,
    },
    ...(ofRepository ? [tag] : []),
    { title: 'CHANGE', value: ({ from, to }) => (to === null ? 'deleted' : from === null ? 'new' : 'moved') },
    { title: 'DIGEST', value: ({ from, to }) => shortDigest(to ?? from ?? '') },
    { title: 'BEFORE', value: ({ from, to }) => (from === null || to === null ? '' : shortDigest(from)) },
    { title: 'BY', value: ({ changedBy }) => changedBy?.replace(/^user:/, '') ?? '' },
    { title: 'MANIFEST', value: stateOf },
  ]
}

function stateOf({ manifest, restorableUntil }: TagChangeFacts): string {
  if (manifest === 'live') return 'here'
  if (manifest === 'gone' || restorableUntil === null) return 'gone'
  return `deleted, restorable until ${formatMoment(new Date(restorableUntil))}`
}
