import { relative } from 'node:path'
import { stripVTControlCharacters } from 'node:util'

/** What is read of an error that crossed from a test process; every field may be missing. */
export interface ReportedError {
  name?: string | undefined
  message?: string | undefined
  stack?: string | undefined
  /** Difference between expected and received, ready to print. */
  diff?: string | undefined
  cause?: unknown
}

const maxFrames = 12

/** Stack lines within the repository, with paths from `root`. */
function ownFrames(stack: string, root: string): string[] {
  return stack
    .split('\n')
    .filter((line) => line.trimStart().startsWith('at ') && !line.includes('/node_modules/'))
    .slice(0, maxFrames)
    .map((line) => line.trim().replaceAll(`file://${root}/`, '').replaceAll(`${root}/`, ''))
}

function isReportedError(value: unknown): value is ReportedError {
  return typeof value === 'object' && value !== null && 'message' in value
}

/** An error as text: message, difference, own stack frames, then its causes. */
export function describeError(error: ReportedError, root: string): string {
  const name = error.name === undefined || error.name === 'Error' ? '' : `${error.name}: `
  const lines = [stripVTControlCharacters(`${name}${error.message ?? 'An error without a message.'}`)]
  if (error.diff !== undefined) lines.push(stripVTControlCharacters(error.diff))
  if (error.stack !== undefined) lines.push(...ownFrames(error.stack, root))
  if (isReportedError(error.cause)) lines.push(`Caused by ${describeError(error.cause, root)}`)
  else if (error.cause !== undefined) lines.push(`Caused by ${JSON.stringify(error.cause)}`)
  return lines.join('\n')
}

/** A path from the root of the repository. */
export function shortPath(path: string, root: string): string {
  return relative(root, path)
}
