import {
  manifestMediaTypes,
  type Descriptor,
  type Digest,
  type RepositoryName,
  type Tag,
} from '@openregistry/oci'
import { RegistryClientError } from './client-error.ts'
import { checkDigest } from './check-digest.ts'
import type { Connection, RequestBody } from './connection.ts'
import { nextLink } from './next-link.ts'

/** A manifest as a registry has it. */
export interface FetchedManifest extends ManifestFacts {
  /** Exactly the bytes that were pushed. */
  bytes: Uint8Array
}

/** What a registry says about a manifest. */
export interface ManifestFacts {
  /** Null when the registry does not tell (old ones do not). */
  digest: Digest | null
  mediaType: string
  /** In bytes. */
  size: number
}

/** How a request may be stopped. */
interface Cancellable {
  signal?: AbortSignal | undefined
}

/** Pages to read. */
export interface PageOptions extends Cancellable {
  /** Entries on one page; the registry may give fewer. */
  pageSize?: number
}

/** The API of the OCI distribution specification. Every method throws {@link RegistryClientError}. */
export class DistributionClient {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** Resolves when there is a registry that lets us in. */
  async ping(options: Cancellable = {}): Promise<void> {
    await discard(await this.#connection.send('GET', '/v2/', options))
  }

  /** Names of repositories, page by page. */
  async *repositories(options: PageOptions = {}): AsyncGenerator<string[], void, undefined> {
    yield* this.#pages('/v2/_catalog', 'repositories', options)
  }

  /** Tags of a repository, page by page. */
  async *tags(name: RepositoryName, options: PageOptions = {}): AsyncGenerator<string[], void, undefined> {
    yield* this.#pages(`/v2/${name}/tags/list`, 'tags', options)
  }

  /** What a manifest is, without its bytes. */
  async headManifest(
    name: RepositoryName,
    reference: Tag | Digest,
    options: Cancellable = {},
  ): Promise<ManifestFacts> {
    const response = await this.#connection.send(
      'HEAD',
      manifestPath(name, reference),
      acceptManifests(options),
    )
    return manifestFacts(response, Number(response.headers.get('content-length') ?? 0))
  }

  /** A manifest; if it was asked for by digest, its bytes are checked. */
  async getManifest(
    name: RepositoryName,
    reference: Tag | Digest,
    options: Cancellable = {},
  ): Promise<FetchedManifest> {
    const response = await this.#connection.send(
      'GET',
      manifestPath(name, reference),
      acceptManifests(options),
    )
    const bytes = new Uint8Array(await response.arrayBuffer())
    if (reference.includes(':')) await checkDigest(bytes, reference as Digest)
    return { ...manifestFacts(response, bytes.length), bytes }
  }

  /** Pushes a manifest, and returns the digest that the registry gave it. */
  async putManifest(
    name: RepositoryName,
    reference: Tag | Digest,
    manifest: { mediaType: string; bytes: Uint8Array },
    options: Cancellable = {},
  ): Promise<Digest | null> {
    const headers = { 'Content-Type': manifest.mediaType }
    const path = manifestPath(name, reference)
    const response = await this.#connection.send('PUT', path, { ...options, headers, body: manifest.bytes })
    await discard(response)
    return digestOf(response)
  }

  /**
   * Deletes a tag, or a manifest with all its tags.
   * @returns until when an OpenRegistry can restore the manifest for certain (ISO 8601, UTC); others do not say.
   */
  async deleteManifest(
    name: RepositoryName,
    reference: Tag | Digest,
    options: Cancellable = {},
  ): Promise<{ restorableUntil: string | null }> {
    const response = await this.#connection.send('DELETE', manifestPath(name, reference), options)
    await discard(response)
    return { restorableUntil: response.headers.get('openregistry-restorable-until') }
  }

  /** Size of a blob in bytes. */
  async headBlob(name: RepositoryName, digest: Digest, options: Cancellable = {}): Promise<number> {
    const response = await this.#connection.send('HEAD', `/v2/${name}/blobs/${digest}`, options)
    return Number(response.headers.get('content-length') ?? 0)
  }

  /** A blob as a stream. Its digest is for the reader to check. */
  async getBlob(
    name: RepositoryName,
    digest: Digest,
    options: Cancellable = {},
  ): Promise<ReadableStream<Uint8Array>> {
    const response = await this.#connection.send('GET', `/v2/${name}/blobs/${digest}`, options)
    return response.body ?? new Blob([]).stream()
  }

  /** Pushes a blob in one piece. The registry checks that it is what the digest says. */
  async uploadBlob(
    name: RepositoryName,
    digest: Digest,
    body: RequestBody,
    options: Cancellable = {},
  ): Promise<void> {
    const begin = await this.#connection.send('POST', `/v2/${name}/blobs/uploads/`, options)
    await discard(begin)
    const location = begin.headers.get('location')
    if (location === null) {
      throw new RegistryClientError('The registry opened an upload but did not say where.', {
        status: begin.status,
        code: 'NOT_A_REGISTRY',
      })
    }
    const target = new URL(location, `${this.#connection.server}/`)
    target.searchParams.set('digest', digest)
    const headers = { 'Content-Type': 'application/octet-stream' }
    await discard(await this.#connection.send('PUT', target.href, { ...options, headers, body }))
  }

  /** Manifests whose subject is this one, page by page. */
  async *referrers(
    name: RepositoryName,
    subject: Digest,
    options: PageOptions & { artifactType?: string } = {},
  ): AsyncGenerator<Descriptor[], void, undefined> {
    const query =
      options.artifactType === undefined ? '' : `?artifactType=${encodeURIComponent(options.artifactType)}`
    yield* this.#pages(`/v2/${name}/referrers/${subject}${query}`, 'manifests', options)
  }

  /** Follows the links of a list. */
  async *#pages<T>(
    path: string,
    field: string,
    { pageSize, signal }: PageOptions,
  ): AsyncGenerator<T[], void, undefined> {
    const first = new URL(path, this.#connection.server)
    if (pageSize !== undefined) first.searchParams.set('n', String(pageSize))
    let target: string | null = `${first.pathname}${first.search}`
    while (target !== null) {
      const response: Response = await this.#connection.send('GET', target, { signal })
      const body = (await response.json()) as Record<string, T[] | null>
      yield body[field] ?? []
      const next = nextLink(response.headers.get('link'))
      target = next === null ? null : new URL(next, new URL(target, this.#connection.server)).href
    }
  }
}

function manifestPath(name: RepositoryName, reference: Tag | Digest): string {
  return `/v2/${name}/manifests/${reference}`
}

function acceptManifests(options: Cancellable): Cancellable & { headers: Record<string, string> } {
  return { ...options, headers: { Accept: manifestMediaTypes.join(', ') } }
}

function manifestFacts(response: Response, size: number): ManifestFacts {
  const mediaType = response.headers.get('content-type')?.split(';')[0]?.trim() ?? ''
  return { digest: digestOf(response), mediaType, size }
}

function digestOf(response: Response): Digest | null {
  return response.headers.get('docker-content-digest') as Digest | null
}

/** Reads an answer to its end, so that its connection can be used again. */
async function discard(response: Response): Promise<void> {
  await response.arrayBuffer()
}
