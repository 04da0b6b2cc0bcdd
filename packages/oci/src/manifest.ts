import type { Annotations, Descriptor } from './descriptor.ts'
import { readAnnotations, readDescriptor, readDescriptors, readMediaType } from './descriptor-reader.ts'
import { checkFieldNames, fieldNames, parseJsonObject } from './json-object.ts'
import type { JsonObject } from './json-object.ts'
import { manifestInvalid } from './manifest-error.ts'
import { isIndexType, manifestMediaTypes, mediaTypes } from './media-types.ts'

/** What the registry needs to know about a manifest; the bytes themselves are stored and served as they came. */
export interface ParsedManifest {
  /** The type to store and to serve, without parameters. */
  mediaType: string
  kind: 'image' | 'index'
  /** Of an image manifest; null for an index. */
  config: Descriptor | null
  /** Of an image manifest, in order; may be empty. */
  layers: readonly Descriptor[]
  /** Of an index, in order; may be empty. */
  manifests: readonly Descriptor[]
  /** What this manifest is about; need not exist. */
  subject: Descriptor | null
  /** As a list of referrers shows it: `artifactType`, else the type of the config; null for an index without it. */
  artifactType: string | null
  annotations: Annotations | null
}

/**
 * Layers, or children of an index, that one manifest may have. Each is a row to store and a link to lock in one step;
 * Linux cannot mount more than about 500 layers, and the largest indexes in use have some hundreds of children.
 */
export const descriptorLimit = 10_000

const manifestFields = fieldNames(
  'schemaVersion',
  'mediaType',
  'artifactType',
  'config',
  'layers',
  'manifests',
  'subject',
  'annotations',
)

/**
 * Validates a manifest (image specification, "Image Manifest" and "Image Index"; Docker's schema 2 and manifest lists)
 * without changing a byte of it. Members that the specification does not know are left alone.
 *
 * Nothing is accepted that two readers could understand in two ways: members twice in an object, both `manifests` and
 * `layers` (CVE-2021-41190), another type in the document than in the header.
 * @param bytes of at most a few MiB: the limit is the caller's.
 * @param contentType header of the request; its parameters are ignored. Without it the `mediaType` of the document
 * counts, else its shape.
 * @throws RegistryError `MANIFEST_INVALID`, and nothing else, whatever the bytes are; `detail.path` names the member.
 */
export function parseManifest(bytes: Uint8Array, contentType: string | null): ParsedManifest {
  const stated = baseType(contentType)
  if (stated !== null) checkAccepted(stated)
  const document = parseJsonObject(bytes)
  checkFieldNames(document, manifestFields, '')
  if (document['schemaVersion'] === 1) throw schema1()
  const mediaType = mediaTypeOf(document, stated)
  if (document['schemaVersion'] !== 2) throw manifestInvalid('schemaVersion', 'must be the number 2.')
  checkOneKind(document)
  return isIndexType(mediaType) ? readIndex(document, mediaType) : readImage(document, mediaType)
}

function readImage(document: JsonObject, mediaType: string): ParsedManifest {
  const config = readDescriptor(document['config'], 'config')
  return {
    mediaType,
    kind: 'image',
    config,
    layers: readDescriptors(document['layers'], 'layers', descriptorLimit),
    manifests: [],
    subject: readSubject(document),
    artifactType: readMediaType(document['artifactType'], 'artifactType') ?? config.mediaType,
    annotations: readAnnotations(document['annotations'], 'annotations'),
  }
}

function readIndex(document: JsonObject, mediaType: string): ParsedManifest {
  return {
    mediaType,
    kind: 'index',
    config: null,
    layers: [],
    manifests: readDescriptors(document['manifests'], 'manifests', descriptorLimit),
    subject: readSubject(document),
    artifactType: readMediaType(document['artifactType'], 'artifactType'),
    annotations: readAnnotations(document['annotations'], 'annotations'),
  }
}

function readSubject(document: JsonObject): Descriptor | null {
  const subject = document['subject'] ?? null
  return subject === null ? null : readDescriptor(subject, 'subject')
}

/** The media type of a header: without parameters and in lower case (RFC 9110 §8.3.1), null when there is none. */
function baseType(contentType: string | null): string | null {
  const type = (contentType ?? '').split(';', 1)[0]!.trim().toLowerCase()
  return type === '' ? null : type
}

function mediaTypeOf(document: JsonObject, stated: string | null): string {
  const own = readMediaType(document['mediaType'], 'mediaType')
  if (stated === null) {
    if (own === null) return typeByShape(document)
    checkAccepted(own)
    return own
  }
  if (own !== null && own !== stated) {
    throw manifestInvalid('mediaType', `says ${own}, but the Content-Type of the request is ${stated}.`)
  }
  return stated
}

function typeByShape(document: JsonObject): string {
  checkOneKind(document)
  if ('manifests' in document) return mediaTypes.ociIndex
  if ('config' in document && 'layers' in document) return mediaTypes.ociManifest
  throw manifestInvalid('', `has no mediaType, and the request no Content-Type; send ${accepted}.`)
}

/** One document must not be an image to one client and an index to another (CVE-2021-41190). */
function checkOneKind(document: JsonObject): void {
  const has = (name: string): boolean => (document[name] ?? null) !== null
  if (has('manifests') && (has('layers') || has('config'))) {
    throw manifestInvalid('manifests', 'cannot be in one manifest with config or layers.')
  }
}

const accepted = manifestMediaTypes.join(', ').replace(/, (?=[^ ]+$)/, ' or ')

function checkAccepted(mediaType: string): void {
  if (manifestMediaTypes.includes(mediaType)) return
  if (mediaType === mediaTypes.dockerSchema1 || mediaType === mediaTypes.dockerSchema1Signed) throw schema1()
  if (mediaType === mediaTypes.ociArtifactManifest) {
    throw manifestInvalid(
      '',
      'is an OCI artifact manifest, which OCI 1.1 dropped; push an image manifest with artifactType (a newer client does).',
    )
  }
  throw manifestInvalid('', `has a media type that is not supported; send ${accepted}.`)
}

function schema1(): Error {
  return manifestInvalid(
    '',
    'is of Docker schema 1, which is not supported; push the image again with a newer client (Docker 1.10 or later).',
  )
}
