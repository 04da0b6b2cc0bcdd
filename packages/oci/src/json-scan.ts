import { manifestInvalid, memberPath } from './manifest-error.ts'

/** Levels of arrays and objects that a manifest may have inside each other. Real ones have four. */
export const nestingLimit = 100

/**
 * Names that all objects of a manifest may have together: ten for each descriptor of the largest one. It bounds the time
 * of a parse, whatever a document of some MiB is made of.
 */
export const memberLimit = 100_000

/** An array or object that the scan is inside of. */
interface Frame {
  /** Names seen in an object; null in an array. */
  names: Set<string> | null
  /** The member or element that the scan is at. */
  at: string | number
  /** Whether the next string of an object is a name. */
  expectsName: boolean
}

/**
 * One pass over a text that is about to be given to `JSON.parse`, in linear time and without recursion. It refuses what
 * parsers disagree about, so that nobody reads another manifest out of the same bytes (RFC 7493, I-JSON, §2.1 and §2.3):
 * names that occur twice in one object, strings with NUL or half of a surrogate pair. {@link nestingLimit} and
 * {@link memberLimit} hold. Whether the text is JSON at all is left to the parser: of text that is not, the scan may
 * say anything or nothing.
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
      const isName = frame?.names != null && frame.expectsName
      if (isName && ++members > memberLimit)
        throw manifestInvalid('', `has more than ${memberLimit} members.`)
      const value = isName || end.escaped ? readString(text.slice(i, end.after), end.escaped, frames) : ''
      if (isName) enterMember(frames, value)
      i = end.after - 1
    } else if (char === '{' || char === '[') {
      frame =
        char === '{'
          ? { names: new Set(), at: '', expectsName: true }
          : { names: null, at: 0, expectsName: false }
      if (frames.push(frame) > nestingLimit)
        throw manifestInvalid('', `is nested deeper than ${nestingLimit} levels.`)
    } else if (char === '}' || char === ']') {
      frames.pop()
      frame = frames.at(-1)
    } else if (char === ',' && frame) {
      frame.expectsName = true
      if (typeof frame.at === 'number') frame.at++
    }
  }
}

/** The position after the string that begins at `start`, and whether a backslash is in it. */
function stringEnd(text: string, start: number): { after: number; escaped: boolean } {
  let escaped = false
  for (let i = start + 1; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x22) return { after: i + 1, escaped }
    if (code === 0x5c) {
      escaped = true
      i++
    }
  }
  return { after: text.length, escaped }
}

/** The value of a string that is given with its quotes. Escapes are resolved: `"\u0061"` and `"a"` are one name. */
function readString(quoted: string, escaped: boolean, frames: readonly Frame[]): string {
  if (!escaped) return quoted.slice(1, -1)
  let value: string
  try {
    value = JSON.parse(quoted) as string
  } catch (cause) {
    throw notJson(cause)
  }
  // Only an escape can make these: a raw NUL is not JSON, and UTF-8 has no surrogates.
  if (value.includes('\0')) throw manifestInvalid(pathOf(frames), 'contains the character NUL.')
  if (!value.isWellFormed()) throw manifestInvalid(pathOf(frames), 'contains half of a surrogate pair.')
  return value
}

/** Notes that the innermost object is at the member `name` now. */
function enterMember(frames: readonly Frame[], name: string): void {
  const frame = frames.at(-1)!
  frame.expectsName = false
  frame.at = name
  if (frame.names!.has(name)) throw manifestInvalid(pathOf(frames), 'occurs twice in its object.')
  frame.names!.add(name)
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
