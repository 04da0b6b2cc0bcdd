import type { Annotations, Descriptor } from './descriptor.ts'
import { parseDigest } from './digest.ts'
import type { Digest } from './digest.ts'
import { RegistryError } from './errors.ts'
import { checkFieldNames, fieldNames, isJsonObject } from './json-object.ts'
import type { JsonObject } from './json-object.ts'
import { manifestInvalid, memberPath } from './manifest-error.ts'

const descriptorFields = fieldNames(
  'mediaType',
  'digest',
  'size',
  'urls',
  'annotations',
  'artifactType',
  'platform',
  'data',
)

/** Longest media type: 127 characters on each side of the slash (RFC 6838 §4.2). */
const mediaTypeLimit = 255

/*
 * The readers below take `null` for a member that is not there wherever the specification makes it optional: programs
 * written in Go write their empty fields so.
 */

/**
 * A descriptor (image specification, "Content Descriptors").
 * @throws RegistryError `MANIFEST_INVALID`, naming the member.
 */
export function readDescriptor(value: unknown, path: string): Descriptor {
  if (value === undefined || value === null) return missing(path)
  if (!isJsonObject(value)) throw manifestInvalid(path, 'must be a descriptor, a JSON object.')
  checkFieldNames(value, descriptorFields, path)
  const size = readSize(value['size'], `${path}.size`)
  const urls = readTexts(value['urls'], `${path}.urls`)
  const annotations = readAnnotations(value['annotations'], `${path}.annotations`)
  const artifactType = readMediaType(value['artifactType'], `${path}.artifactType`)
  const platform = readPlatform(value['platform'], `${path}.platform`)
  const data = readData(value['data'], size, `${path}.data`)
  return {
    mediaType: readMediaType(value['mediaType'], `${path}.mediaType`) ?? missing(`${path}.mediaType`),
    digest: readDigest(value['digest'], `${path}.digest`),
    size,
    ...(urls === null ? {} : { urls }),
    ...(annotations === null ? {} : { annotations }),
    ...(artifactType === null ? {} : { artifactType }),
    ...(platform === null ? {} : { platform }),
    ...(data === null ? {} : { data }),
  }
}

/**
 * A list of descriptors; null is an empty one.
 * @throws RegistryError `MANIFEST_INVALID`, also for more than `limit`.
 */
export function readDescriptors(value: unknown, path: string, limit: number): Descriptor[] {
  if (value === undefined) return missing(path)
  if (value === null) return []
  if (!Array.isArray(value)) throw manifestInvalid(path, 'must be an array of descriptors.')
  if (value.length > limit)
    throw manifestInvalid(path, `has ${value.length} entries, at most ${limit} are allowed.`)
  return value.map((entry: unknown, index) => readDescriptor(entry, `${path}[${index}]`))
}

/** Annotations, or null. @throws RegistryError `MANIFEST_INVALID`. */
export function readAnnotations(value: unknown, path: string): Annotations | null {
  if (value === undefined || value === null) return null
  if (!isJsonObject(value)) throw manifestInvalid(path, 'must be a JSON object of strings.')
  for (const [name, text] of Object.entries(value)) {
    if (typeof text !== 'string') throw manifestInvalid(memberPath(path, name), 'must be a string.')
  }
  return value as Annotations
}

/** A media type that may be missing; an empty one is missing. @throws RegistryError `MANIFEST_INVALID`. */
export function readMediaType(value: unknown, path: string): string | null {
  if (value === undefined || value === null || value === '') return null
  if (typeof value !== 'string') throw manifestInvalid(path, 'must be a string.')
  if (value.length > mediaTypeLimit || /[^ -~]/.test(value)) {
    throw manifestInvalid(path, `must be a media type, at most ${mediaTypeLimit} printable ASCII characters.`)
  }
  return value
}

function readDigest(value: unknown, path: string): Digest {
  if (value === undefined || value === null) return missing(path)
  if (typeof value !== 'string') throw manifestInvalid(path, 'must be a string.')
  try {
    return parseDigest(value)
  } catch (cause) {
    if (!(cause instanceof RegistryError)) throw cause
    throw manifestInvalid(path, `cannot be used. ${cause.message}`, cause)
  }
}

function readSize(value: unknown, path: string): number {
  if (value === undefined || value === null) return missing(path)
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw manifestInvalid(path, 'must be a number of bytes, an integer from 0 to 9007199254740991.')
  }
  return value + 0 // -0 is 0
}

function readTexts(value: unknown, path: string): string[] | null {
  if (value === undefined || value === null) return null
  if (!Array.isArray(value) || !value.every((entry) => typeof entry === 'string')) {
    throw manifestInvalid(path, 'must be an array of strings.')
  }
  return value
}

function readPlatform(value: unknown, path: string): JsonObject | null {
  if (value === undefined || value === null) return null
  if (!isJsonObject(value)) throw manifestInvalid(path, 'must be a JSON object.')
  return value
}

/** Embedded content in base64 (RFC 4648 §4, padded). Whether it has the digest is not judged here: nothing is hashed. */
function readData(value: unknown, size: number, path: string): string | null {
  if (value === undefined || value === null) return null
  if (typeof value !== 'string') throw manifestInvalid(path, 'must be a string.')
  const padding = value.endsWith('==') ? 2 : value.endsWith('=') ? 1 : 0
  if (value.length % 4 !== 0 || /[^A-Za-z0-9+/]/.test(value.slice(0, value.length - padding))) {
    throw manifestInvalid(path, 'must be base64 with padding.')
  }
  const length = (value.length / 4) * 3 - padding
  if (length !== size) throw manifestInvalid(path, `has ${length} bytes, but size says ${size}.`)
  return value
}

function missing(path: string): never {
  throw manifestInvalid(path, 'is missing.')
}
