const units: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }
const weekdays = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']
const dayForm = /^(\d{4})-(\d{2})-(\d{2})$/
const timeForm = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?$/i

/**
 * A moment in the past as people write it: `2026-11-16 09:30` (local time unless it has a zone), `2026-11-16`, `monday`,
 * `yesterday`, or how long ago: `90m`, `36h`, `3d`, `2w`. A day means its end, or now if it is not over.
 * @returns null when it is none of these.
 */
export function parseMoment(text: string, now: Date): Date | null {
  const written = text.trim().toLowerCase()
  const ago = /^(\d{1,6})([smhdw])$/.exec(written)
  if (ago !== null) return new Date(now.getTime() - Number(ago[1]) * (units[ago[2] ?? ''] ?? 0))
  if (timeForm.test(written)) return validDate(new Date(written.replace(' ', 'T').toUpperCase()))
  const day = dayOf(written, now)
  if (day === null) return null
  const end = new Date(day.getFullYear(), day.getMonth(), day.getDate() + 1).getTime() - 1
  return new Date(Math.min(end, now.getTime()))
}

/** Midnight of the day that is meant, local time. */
function dayOf(written: string, now: Date): Date | null {
  const today = new Date(now.getFullYear(), now.getMonth(), now.getDate())
  const daysAgo = (count: number): Date =>
    new Date(today.getFullYear(), today.getMonth(), today.getDate() - count)
  if (written === 'today') return today
  if (written === 'yesterday') return daysAgo(1)
  const weekday = weekdays.findIndex((name) => name === written || name.slice(0, 3) === written)
  if (weekday !== -1) return daysAgo((today.getDay() - weekday + 7) % 7)
  const parts = dayForm.exec(written)
  if (parts === null) return null
  const [year, month, day] = parts.slice(1).map(Number) as [number, number, number]
  const date = new Date(year, month - 1, day)
  return date.getMonth() === month - 1 && date.getDate() === day ? date : null
}

function validDate(date: Date): Date | null {
  return Number.isNaN(date.getTime()) ? null : date
}

/** A moment for people, in local time: `2026-11-16 09:30:12`. */
export function formatMoment(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-')
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`
}
