import { manifestInvalid, memberPath } from './manifest-error.ts'

/** Levels of arrays and objects that a manifest may have inside each other. Real ones have four. */
export const nestingLimit = 100

/**
 * Names that the objects of a manifest may have together: ten for each descriptor of the largest one. It bounds the time
 * of a parse to a few tens of milliseconds, whatever a document of some MiB is made of.
 */
export const memberLimit = 100_000

/** An array or object that the scan is inside of. */
interface Frame {
  /** Names seen in an object; null in an array. */
  names: Set<string> | null
  /** The member or element that the scan is at. */
  at: string | number
  /** Whether the next string is a name. */
  expectsName: boolean
}

/**
 * One pass over a text that is about to be given to `JSON.parse`, in linear time and without recursion. It refuses what
 * parsers disagree about, so that nobody reads another manifest out of the same bytes (RFC 7493, I-JSON, §2.1 and §2.3):
 * names that occur twice in one object, strings with NUL or half of a surrogate pair. {@link nestingLimit} and
 * {@link memberLimit} hold. Whether the text is JSON at all is left to the parser; of text that is not, the scan says
 * anything or nothing.
 * @throws RegistryError `MANIFEST_INVALID`.
 */
export function scanJson(text: string): void {
  const frames: Frame[] = []
  let frame: Frame | undefined
  let members = 0
  for (let i = 0; i < text.length; i++) {
    const char = text[i]
    if (char === '"') {
      const end = stringEnd(text, i)
      if (frame?.names && frame.expectsName)
        enterMember(frame, frame.names, readString(text, i, end, frames), frames)
      else if (end.escaped) readString(text, i, end, frames)
      i = end.index
    } else if (char === '{' || char === '[') {
      if (frames.length === nestingLimit)
        throw manifestInvalid('', `is nested deeper than ${nestingLimit} levels.`)
      frame = { names: char === '{' ? new Set() : null, at: char === '{' ? '' : 0, expectsName: true }
      frames.push(frame)
    } else if (char === '}' || char === ']') {
      frames.pop()
      frame = frames.at(-1)
    } else if (char === ',' && frame) {
      frame.expectsName = true
      if (typeof frame.at === 'number') frame.at++
    }
  }
}

/** Where the string that begins at `start` ends (at its closing quote, or at the end of the text). */
function stringEnd(text: string, start: number): { index: number; escaped: boolean } {
  let escaped = false
  for (let i = start + 1; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x22) return { index: i, escaped }
    if (code === 0x5c) {
      escaped = true
      i++
    }
  }
  return { index: text.length, escaped }
}

/** The value of a string, with its escapes resolved: `"\u0061"` and `"a"` are one name. */
function readString(
  text: string,
  start: number,
  end: { index: number; escaped: boolean },
  frames: Frame[],
): string {
  if (!end.escaped) return text.slice(start + 1, end.index)
  let value: string
  try {
    value = JSON.parse(text.slice(start, end.index + 1)) as string
  } catch (cause) {
    throw notJson(cause)
  }
  if (value.includes('\0')) throw manifestInvalid(pathOf(frames), 'contains the character NUL.')
  if (!value.isWellFormed()) throw manifestInvalid(pathOf(frames), 'contains half of a surrogate pair.')
  return value
}

function enterMember(frame: Frame, names: Set<string>, name: string, frames: Frame[]): void {
  frame.expectsName = false
  frame.at = name
  if (names.has(name)) throw manifestInvalid(pathOf(frames), 'occurs twice in its object.')
  names.add(name)
}

function pathOf(frames: readonly Frame[]): string {
  let path = ''
  for (const { at } of frames) path = typeof at === 'number' ? `${path}[${at}]` : memberPath(path, at)
  return path
}

/** What is thrown for bytes that no JSON parser takes. */
export function notJson(cause: unknown): Error {
  return manifestInvalid('', 'is not valid JSON.', cause)
}
