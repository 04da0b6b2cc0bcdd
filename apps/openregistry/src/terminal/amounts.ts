const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** A size for people: `0 B`, `999 B`, `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10))
  const amount = bytes / 1024 ** power
  const digits = power === 0 || amount >= 100 ? 0 : 1
  return `${amount.toFixed(digits)} ${units[power]}`
}

const steps: readonly [seconds: number, unit: Intl.RelativeTimeFormatUnit][] = [
  [365 * 24 * 3600, 'year'],
  [30 * 24 * 3600, 'month'],
  [24 * 3600, 'day'],
  [3600, 'hour'],
  [60, 'minute'],
]
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'always' })

/** How long ago something was: `3 days ago`; under a minute `just now`. */
export function formatAgo(then: Date, now: Date): string {
  const seconds = (now.getTime() - then.getTime()) / 1000
  for (const [length, unit] of steps) {
    if (Math.abs(seconds) >= length) return relative.format(-Math.trunc(seconds / length), unit)
  }
  return 'just now'
}

/** A count with its noun: `1 tag`, `2 tags`. */
export function formatCount(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`
}

/** The beginning of a digest, enough to tell it from others: `sha256:0123456789ab`. */
export function shortDigest(digest: string): string {
  const colon = digest.indexOf(':')
  return digest.slice(0, colon + 1 + 12)
}
