/** A failed test, set-up, file or run, with what is to be printed about it. */
export interface Failure {
  /** Where: file and full name of the test. */
  title: string
  /** Message, difference, stack and what the test printed; several lines. */
  detail: string
}

/** What came of a run. */
export interface Outcome {
  passed: number
  failures: Failure[]
  /** Titles of skipped tests by reason. */
  skipped: Map<string, string[]>
}

/** A test that did not run for a reason that it gave. */
export interface Skip {
  title: string
  reason: string
}

/** Peers that may be missing in CI too: no package registry or distribution has them. */
const optionalPeers: ReadonlySet<string> = new Set(['oci-conformance', 'oci-conformance-legacy', 'zot'])

const missingPeer = /^missing peer: (\S+)/

/**
 * Adds a skip to an outcome. With `ci`, a missing peer (reason `missing peer: <name>…`) is a failure, unless it is one
 * that cannot be had everywhere.
 */
export function addSkip(outcome: Outcome, skip: Skip, options: { ci: boolean }): void {
  const peer = missingPeer.exec(skip.reason)?.[1]
  if (options.ci && peer !== undefined && !optionalPeers.has(peer)) {
    outcome.failures.push({ title: skip.title, detail: `${skip.reason}\nIn CI every peer has to be there.` })
    return
  }
  const titles = outcome.skipped.get(skip.reason)
  if (titles === undefined) outcome.skipped.set(skip.reason, [skip.title])
  else titles.push(skip.title)
}

/** Skipped tests in all. */
export function countSkipped(outcome: Outcome): number {
  let count = 0
  for (const titles of outcome.skipped.values()) count += titles.length
  return count
}

/** The line that ends every run. Scripts read it: it does not change. */
export function totalsLine(outcome: Outcome): string {
  return `${outcome.passed} passed, ${outcome.failures.length} failed, ${countSkipped(outcome)} skipped`
}

/** 1 when anything failed, or nothing ran. A run in which every test was skipped proves nothing either. */
export function exitCodeOf(outcome: Outcome): 0 | 1 {
  return outcome.failures.length > 0 || outcome.passed === 0 ? 1 : 0
}

/** Failures in detail, then skips by reason, the most frequent first. Empty when there is nothing to say. */
export function describeOutcome(outcome: Outcome): string {
  const lines: string[] = []
  for (const [index, failure] of outcome.failures.entries()) {
    lines.push('', `FAILED ${index + 1}/${outcome.failures.length}  ${failure.title}`)
    for (const line of failure.detail.trimEnd().split('\n')) lines.push(`  ${line}`)
  }
  const reasons = [...outcome.skipped].sort(
    ([a, titlesA], [b, titlesB]) => titlesB.length - titlesA.length || (a < b ? -1 : 1),
  )
  if (reasons.length > 0) lines.push('', 'Skipped:')
  for (const [reason, titles] of reasons) {
    lines.push(`  ${titles.length} × ${reason}`)
    for (const title of titles) lines.push(`      ${title}`)
  }
  return lines.join('\n')
}
