/** What a check found. */
export interface Finding {
  /** What was looked at, in a word or two. */
  check: string
  status: 'ok' | 'warning' | 'failed'
  /** What was found. */
  message: string
  /** What to do about it. */
  advice?: string
}

/** All is well. */
export function ok(check: string, message: string): Finding {
  return { check, status: 'ok', message }
}

/** It works, but. */
export function warning(check: string, message: string, advice: string): Finding {
  return { check, status: 'warning', message, advice }
}

/** The registry would not start, or would not be safe. */
export function failed(check: string, message: string, advice: string): Finding {
  return { check, status: 'failed', message, advice }
}
