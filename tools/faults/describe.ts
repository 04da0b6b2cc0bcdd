import type { SeedResult } from './seed-run.ts'

/** The line of a run, and under it what was wrong and how to see it again. */
export function describeResult({
  seed,
  shape,
  counts,
  rounds,
  milliseconds,
  peakMemory,
  violations,
  folder,
}: SeedResult): string {
  const { acknowledged, requests, unsure, faults } = counts
  const memory = `${Math.round(peakMemory / 2 ** 20)} MiB`
  const line = `seed ${seed} ${shape}: ${faults} faults, ${acknowledged} acknowledged, ${requests} requests (${unsure} unsure), ${rounds} rounds, ${(milliseconds / 1000).toFixed(1)} s, ${memory}: ${violations.length === 0 ? 'all there' : 'FAILED'}\n`
  if (violations.length === 0) return folder === null ? line : `${line}  Its log and data: ${folder}\n`
  const found = violations.slice(0, 10).map((text) => `  ${text}\n`)
  return `${line}${found.join('')}  Its log and data: ${folder}\n  Again: npm run faults -- --seed ${seed} --shape ${shape}\n`
}

/** The line under many runs. */
export function describeTotals(results: readonly SeedResult[]): string {
  const sum = (of: (result: SeedResult) => number): number =>
    results.reduce((total, one) => total + of(one), 0)
  const kinds = new Map<string, number>()
  for (const { faultKinds } of results)
    for (const [kind, count] of Object.entries(faultKinds)) kinds.set(kind, (kinds.get(kind) ?? 0) + count)
  const listed = [...kinds].sort(([a], [b]) => a.localeCompare(b)).map(([kind, count]) => `${kind} ${count}`)
  const longest = Math.max(...results.map(({ milliseconds }) => milliseconds)) / 1000
  const most = Math.round(Math.max(...results.map(({ peakMemory }) => peakMemory)) / 2 ** 20)
  const failed = results.filter(({ violations }) => violations.length > 0).length
  return `${results.length} runs, ${failed} failed: ${sum(({ counts }) => counts.faults)} faults (${listed.join(', ')}), ${sum(({ counts }) => counts.acknowledged)} acknowledged changes, ${sum(({ counts }) => counts.requests)} requests; the longest took ${longest.toFixed(1)} s, the largest process ${most} MiB\n`
}
