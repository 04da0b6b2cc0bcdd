const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/**
 * Reads a duration such as `500ms`, `30s`, `1h30m` or `7d`.
 * @returns milliseconds, or null when it is not one. `0` is the only number that needs no unit.
 */
export function parseDuration(text: string): number | null {
  if (text === '0') return 0
  if (!/^(?:\d{1,9}(?:ms|[smhd]))+$/.test(text)) return null
  let total = 0
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|[smhd])/g)) {
    total += Number(count) * units[unit as keyof typeof units]
  }
  return total
}

/** Writes milliseconds with a unit that needs no fraction, as people would: `60s`, `90s`, `2m`, `24h`, `7d`; 0 is `0`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds === 0) return '0'
  const fits = ([unit, factor]: [string, number]) =>
    milliseconds % factor === 0 &&
    (unit === 'ms' || unit === 's' || unit === 'h' || milliseconds >= 2 * factor)
  const [unit, factor] = Object.entries(units).findLast(fits) ?? ['ms', 1]
  return `${milliseconds / factor}${unit}`
}
