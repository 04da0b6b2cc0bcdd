/** What came of a run of an official suite. */
export interface SuiteTotals {
  passed: number
  failed: number
  skipped: number
  /** Why it does not count as passed, a line each; empty when everything is as it should be. */
  complaints: string[]
}

/** Rows like `Pass..........:   12` or `Blob delete...: Pass`. */
const row = /^ {2}(\S.*?)\.*: +(\S+)$/gm

/** The data set that level `dev` leaves out by default. */
const disabledByDefault = 'Sparse Manifests'

/**
 * Reads the report of the newest runner. Its exit code says nothing of skipped tests, and a skip means that the
 * registry lacks something, so every row is looked at.
 */
export function readNewestReport(stdout: string, exitCode: number | null): SuiteTotals {
  const [, report = ''] = stdout.split(/^OCI Conformance Result: /m)
  const [counts = '', ...tables] = report.split(/^(?:API|Data) conformance:$/m)
  const count = Object.fromEntries([...counts.matchAll(row)].map(([, name, value]) => [name, Number(value)]))
  const { Pass: passed = 0, Skip: skipped = 0, FAIL: failures = 0, Error: errors = 0 } = count
  const complaints: string[] = []
  if (exitCode !== 0 || !report.startsWith('Pass\n')) complaints.push(`The runner ended with ${exitCode}.`)
  if (passed === 0) complaints.push('Nothing passed.')
  for (const table of tables) {
    for (const [, name = '', value] of table.matchAll(row)) {
      if (value !== 'Pass' && !(value === 'Disabled' && name === disabledByDefault)) {
        complaints.push(`${name}: ${value}`)
      }
    }
  }
  if (skipped > 0) complaints.push(`${skipped} skipped: the registry lacks something.`)
  return { passed, skipped, failed: failures + errors, complaints }
}

const legacySummary = /^(?:SUCCESS|FAIL)! -- (\d+) Passed \| (\d+) Failed \| \d+ Pending \| (\d+) Skipped$/m

/**
 * Reads the report of the suite of 1.1.1. It always skips a few: those that take what to pull from the environment, and
 * the answers to a mount that do not apply.
 */
export function readLegacyReport(stdout: string, exitCode: number | null): SuiteTotals {
  const [, passed, failed, skipped] = (legacySummary.exec(stdout) ?? []).map(Number)
  const complaints: string[] = []
  if (exitCode !== 0) complaints.push(`The suite ended with ${exitCode}.`)
  if (passed === undefined || passed === 0) complaints.push('Nothing passed.')
  for (const [, spec] of stdout.matchAll(/^\s*\[FAIL\] (.*)$/gm)) complaints.push(spec ?? '')
  return { passed: passed ?? 0, failed: failed ?? 0, skipped: skipped ?? 0, complaints }
}
