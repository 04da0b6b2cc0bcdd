import { notJson, scanJson } from './json-scan.ts'
import { manifestInvalid, memberPath } from './manifest-error.ts'

/** An object of a JSON document. Members may be anything, and may be called anything. */
export type JsonObject = Readonly<Record<string, unknown>>

/** Whether it is an object, not null and not an array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Reads a document that is one JSON object in UTF-8, strictly (see {@link scanJson}).
 * @throws RegistryError `MANIFEST_INVALID`, and nothing else, whatever the bytes are.
 */
export function parseJsonObject(bytes: Uint8Array): JsonObject {
  if (bytes.length === 0) throw manifestInvalid('', 'is empty.')
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    throw manifestInvalid('', 'begins with a byte order mark; JSON has none.')
  }
  const text = decode(bytes)
  scanJson(text)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw notJson(cause)
  }
  if (!isJsonObject(value)) throw manifestInvalid('', 'is not a JSON object.')
  return value
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw manifestInvalid('', 'is not UTF-8.', cause)
  }
}

/** Names that an object of the specification may have, by their folded form. */
export type FieldNames = ReadonlyMap<string, string>

/** The table for {@link checkFieldNames}. */
export function fieldNames(...names: string[]): FieldNames {
  return new Map(names.map((name) => [fold(name), name]))
}

/**
 * Refuses `Layers` where `layers` is meant. Parsers of Go, which most clients use, take names in any case for the field,
 * others ignore them: the same bytes would be two manifests. Other unknown members are fine.
 * @throws RegistryError `MANIFEST_INVALID`.
 */
export function checkFieldNames(object: JsonObject, known: FieldNames, path: string): void {
  for (const name of Object.keys(object)) {
    const field = known.get(fold(name))
    if (field !== undefined && field !== name) {
      throw manifestInvalid(memberPath(path, name), `must be written ${field}: names are case-sensitive.`)
    }
  }
}

/** Simple case folding as Go's parser does it: the long s counts as s, the Kelvin sign (by `toLowerCase`) as k. */
function fold(name: string): string {
  return name.length > 32 ? name : name.toLowerCase().replaceAll('ſ', 's')
}
