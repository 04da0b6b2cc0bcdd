const binary: Record<string, number> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 }
const units: Record<string, number> = { ...binary, B: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 }

/**
 * Reads a size such as `512`, `64KiB`, `1.5GiB` or `4MB` (units of 1024 and of 1000; case matters to nobody).
 * @returns whole bytes, or null when it is not one.
 */
export function parseSize(text: string): number | null {
  const match = /^(\d{1,16}(?:\.\d{1,3})?) ?([A-Za-z]{1,3})?$/.exec(text)
  if (match === null) return null
  const [, count, written = 'B'] = match
  const unit = Object.keys(units).find((name) => name.toLowerCase() === written.toLowerCase())
  if (unit === undefined) return null
  const bytes = Number(count) * (units[unit] ?? NaN)
  return Number.isSafeInteger(bytes) ? bytes : null
}

/** Writes bytes with the largest unit of 1024 that needs no fraction: 4 194 304 is `4MiB`, 1000 is `1000`. */
export function formatSize(bytes: number): string {
  if (bytes === 0) return '0'
  const fitting = Object.entries(binary).findLast(([, factor]) => bytes % factor === 0)
  return fitting === undefined ? String(bytes) : `${bytes / fitting[1]}${fitting[0]}`
}
