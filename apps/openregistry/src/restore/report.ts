import type { RestoreReport, Snapshot } from '@openregistry/ipfs'
import { CommandError } from '../exit-codes.ts'
import { formatBytes, formatCount } from '../terminal/amounts.ts'
import { printJson, say } from '../terminal/print.ts'

/** Entries that people are shown. */
const shown = 20

/** Milliseconds between two lines where there is no terminal. */
const lineEvery = 10_000

/** Shows how far it is: one line that changes on a terminal, elsewhere one every few seconds. */
export function showProgress(total: number): (name: string, report: RestoreReport) => void {
  let saidAt = performance.now()
  return (name, { repositories, blobs, fetched }) => {
    const line = `${repositories} of ${formatCount(total, 'repository', 'repositories')}, ${formatCount(blobs, 'blob')}, ${formatBytes(fetched)} fetched: ${name}`
    if (process.stderr.isTTY) {
      process.stderr.write(`\r\x1b[K${line.slice(0, (process.stderr.columns ?? 80) - 1)}`)
    } else if (performance.now() - saidAt > lineEvery) {
      saidAt = performance.now()
      say(line)
    }
  }
}

/**
 * Says what came of it.
 * @throws CommandError when something is missing.
 */
export function reportRestore(
  { root, createdAt, scope }: Snapshot,
  result: RestoreReport,
  { json, isEnded }: { json: boolean; isEnded: boolean },
): void {
  const { repositories, tags, manifests, blobs, fetched, there, missing, notRestored } = result
  const made = new Date(createdAt).toISOString()
  if (json) printJson({ snapshot: root, createdAt: made, scope, ended: isEnded, ...result })
  else {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
    const what = [
      formatCount(repositories, 'repository', 'repositories'),
      ...[formatCount(tags, 'tag'), formatCount(manifests, 'manifest'), formatCount(blobs, 'blob')],
    ]
    say(`Snapshot ${root} of ${made}: ${what.join(', ')}.`)
    say(
      `${formatBytes(fetched)} were fetched; ${formatCount(there, 'blob was', 'blobs were')} there already.`,
    )
    for (const { repository, digest, tag, why } of notRestored.slice(0, shown)) {
      const reference = [tag === null ? '' : `:${tag}`, digest === null ? '' : `@${digest}`].join('')
      say(`  missing: ${repository}${reference}: ${why}`)
    }
    if (missing > shown) say(`  and ${missing - shown} more; --json lists a thousand of them.`)
  }
  if (missing === 0) return
  throw new CommandError(
    isEnded
      ? `${formatCount(missing, 'entry', 'entries')} of the snapshot could not be brought back; all else is here.`
      : `${formatCount(missing, 'entry', 'entries')} of the snapshot could not be brought back yet. The same command goes on: name more places with --from or --kubo, or end it with --accept-missing.`,
  )
}
