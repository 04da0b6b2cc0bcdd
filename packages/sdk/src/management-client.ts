import type { Annotations, Digest, RepositoryName, Tag } from '@openregistry/oci'
import type { Connection } from './connection.ts'

/** Who may see a repository without credentials. */
export type Visibility = 'public' | 'private'

/** A repository in a list. */
export interface RepositoryFacts {
  name: string
  visibility: Visibility
}

/** A tag with what it points to. */
export interface TagFacts {
  name: string
  digest: Digest
  mediaType: string
  /** Of the manifest, in bytes. */
  size: number
  /** ISO 8601, UTC. */
  updatedAt: string
}

/** What of an image is in one place. */
export interface StoredAmount {
  /** `inline`: in the database. */
  backend: string
  /** Whose bytes are good there. */
  blobs: number
  bytes: number
  /** When the one was verified that was not for longest; ISO 8601, UTC. */
  verifiedAt: string
}

/** Where the layers and configs of what a tag points to are; those of all images of an index. */
export interface TagStorageFacts {
  name: string
  digest: Digest
  blobs: number
  bytes: number
  stored: StoredAmount[]
  /** Blobs without good bytes anywhere. */
  missing: number
  /** Backends on IPFS that hold its layout, and since when: ISO 8601, UTC. */
  pinned: { backend: string; since: string }[]
  /** When the DHT was last told of its layout: ISO 8601, UTC. Null when nobody there remembers it. */
  announced: string | null
}

/** Content that a manifest names, and where its bytes are. */
export interface InspectedDescriptor {
  digest: Digest
  mediaType: string
  size: number
  /** Null when the registry does not have the content. */
  cid: string | null
  /** `inline` (in the database), or the name of a backend; null when the registry does not have the content. */
  location: string | null
  /** Every place that has, or had, its bytes for this repository; none for manifests. */
  places: { backend: string; state: 'good' | 'damaged' | 'missing'; verifiedAt: string }[]
  /** Those of them that are on IPFS and pin it. */
  pinned: string[]
  platform?: { os?: string; architecture?: string; variant?: string; [other: string]: unknown }
  annotations?: Annotations
}

/** Everything about one manifest. */
export interface InspectedManifest {
  repository: string
  /** As it was asked for. */
  reference: string
  digest: Digest
  mediaType: string
  size: number
  cid: string
  location: string
  artifactType: string | null
  subject: Digest | null
  annotations: Annotations | null
  config: InspectedDescriptor | null
  layers: InspectedDescriptor[]
  /** Of an index. */
  manifests: InspectedDescriptor[]
}

/** One change of a tag. */
export interface TagChangeFacts {
  tag: string
  /** Null when the tag was not there before. */
  from: Digest | null
  /** Null when the tag was deleted. */
  to: Digest | null
  /** `user:<name>` or `operator`; null to those who may only pull. */
  changedBy: string | null
  /** ISO 8601, UTC. */
  changedAt: string
  /** What became of the manifest of `to`, or of `from` where the tag was deleted. */
  manifest: 'live' | 'deleted' | 'gone'
  /** Until when a deleted manifest can be restored for certain; ISO 8601, UTC. */
  restorableUntil: string | null
}

/** Which changes of tags. */
export interface TagHistoryRequest extends ListRequest {
  /** Of one tag; without it of all, deleted ones too. */
  tag?: Tag
  /** Begin with the change that was in force at this moment (ISO 8601 with a zone); goes with `tag`. */
  at?: string
}

/** What to bring back: a tag as it was (before its last change, at a moment, or as this digest), or a deleted manifest. */
export type RestoreRequest = { tag: Tag; digest?: Digest; at?: string } | { digest: Digest }

/** What is here again. */
export interface RestoredFacts {
  repository: string
  digest: Digest
  /** Tags that point to it by this request. */
  tags: Tag[]
  /** Manifests that were deleted and are here again. */
  manifests: Digest[]
  /** Manifests that an index names and that are not here. */
  missing: Digest[]
}

/** What the CID of an image leads to: a complete OCI image layout, or a descriptor with `ipfs://` addresses below it. */
export type ImageForm = 'layout' | 'nerdctl'

/** The CID of an image, or of a repository. */
export interface CidFacts {
  repository: string
  /** As it was asked for; null for the repository. */
  reference: string | null
  /** Of the image; null for the repository. */
  digest: Digest | null
  cid: string
  /** Bytes of all blocks, those of every image included. */
  size: number
  /** Nothing is found under the CID unless the repository is public. */
  visibility: Visibility
  /** The name in IPNS that leads to the newest directory of a public repository; null for an image, and when names are off. */
  ipns: string | null
  /** Tags in the directory; null for an image. */
  tags: number | null
  /** Tags that are not in the directory: their images are not whole there. */
  leftOut: Tag[]
}

/** An amount of content. */
export interface ContentAmount {
  blobs: number
  bytes: number
}

/** The newest move of a repository to another backend. */
export interface MoveFacts {
  /** Where its content goes. */
  backend: string
  /** A running one that met with an error is tried again. */
  state: 'running' | 'done' | 'failed' | 'cancelled'
  /** `user:<name>` or `operator`. */
  requestedBy: string
  /** Bytes a second; 0: as many as come. */
  rate: number
  /** ISO 8601, UTC. */
  startedAt: string
  endedAt: string | null
  /** What was elsewhere when it began; null until that is counted. */
  total: ContentAmount | null
  done: ContentAmount
  /** Bytes of blobs that are being copied. */
  underWay: number
  /** What went wrong the last time. */
  error: string | null
}

/** Where the content of a repository belongs, and how its newest move stands. */
export interface MoveStatusFacts {
  /** Where it was moved to; null while it goes by the configuration of the registry. */
  backend: string | null
  /** Null when it was never moved. */
  move: MoveFacts | null
}

/** A page of a list; `next` is where the following one begins. */
export interface ListPage<T> {
  items: T[]
  next: string | null
}

/** How to ask for a page. */
export interface ListRequest {
  /** Entries, at most; the registry may give fewer. */
  limit?: number
  /** `next` of the page before. */
  after?: string
  signal?: AbortSignal
}

/** The management API of OpenRegistry (`/api/v1`). Every method throws `RegistryClientError`. */
export class ManagementClient {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** Repositories that we may see, by name. */
  async repositories(request: ListRequest = {}): Promise<ListPage<RepositoryFacts>> {
    const path = `/api/v1/repositories${queryOf(request)}`
    const body = await this.#get<{ repositories: RepositoryFacts[]; next: string | null }>(path, request)
    return { items: body.repositories, next: body.next }
  }

  /** One repository. */
  repository(name: RepositoryName): Promise<RepositoryFacts> {
    return this.#get(repositoryPath(name))
  }

  /** Changes who may see a repository. */
  setVisibility(name: RepositoryName, visibility: Visibility): Promise<RepositoryFacts> {
    return this.#connection.sendForJson('PATCH', repositoryPath(name), {
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ visibility }),
    })
  }

  /** Deletes a repository with all that is in it. */
  async deleteRepository(name: RepositoryName): Promise<void> {
    await (await this.#connection.send('DELETE', repositoryPath(name))).arrayBuffer()
  }

  /** How the newest move of a repository to another backend stands. */
  move(name: RepositoryName, request: { signal?: AbortSignal } = {}): Promise<MoveStatusFacts> {
    return this.#get(`${repositoryPath(name)}/move`, request)
  }

  /** Begins to move a repository to another backend. @param wish `rate`: bytes a second. */
  startMove(name: RepositoryName, wish: { backend: string; rate?: number }): Promise<MoveStatusFacts> {
    return this.#connection.sendForJson('POST', `${repositoryPath(name)}/move`, {
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(wish),
    })
  }

  /** Stops a move that is running. */
  cancelMove(name: RepositoryName): Promise<MoveStatusFacts> {
    return this.#connection.sendForJson('DELETE', `${repositoryPath(name)}/move`)
  }

  /** Tags of a repository with their manifests, by name. */
  async tags(name: RepositoryName, request: ListRequest = {}): Promise<ListPage<TagFacts>> {
    const path = `${repositoryPath(name)}/tags${queryOf(request)}`
    const body = await this.#get<{ tags: TagFacts[]; next: string | null }>(path, request)
    return { items: body.tags, next: body.next }
  }

  /** Where the content of tags is stored, by name. */
  async storage(name: RepositoryName, request: ListRequest = {}): Promise<ListPage<TagStorageFacts>> {
    const path = `${repositoryPath(name)}/storage${queryOf(request)}`
    const body = await this.#get<{ tags: TagStorageFacts[]; next: string | null }>(path, request)
    return { items: body.tags, next: body.next }
  }

  /** What happened to tags, newest first. */
  async tagHistory(name: RepositoryName, request: TagHistoryRequest = {}): Promise<ListPage<TagChangeFacts>> {
    const path = `${repositoryPath(name)}/history${queryOf(request, { tag: request.tag, at: request.at })}`
    const body = await this.#get<{ changes: TagChangeFacts[]; next: string | null }>(path, request)
    return { items: body.changes, next: body.next }
  }

  /** Brings back a tag or a deleted manifest. */
  restore(name: RepositoryName, wish: RestoreRequest): Promise<RestoredFacts> {
    return this.#connection.sendForJson('POST', `${repositoryPath(name)}/restore`, {
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(wish),
    })
  }

  /** A manifest with the content it names, CIDs and locations. */
  inspect(name: RepositoryName, reference: Tag | Digest): Promise<InspectedManifest> {
    return this.#get(`${repositoryPath(name)}/manifests/${encodeURIComponent(reference)}`)
  }

  /**
   * The CID of an image; of the repository without a reference.
   * @param form of an image: a layout, or what nerdctl takes.
   */
  cid(
    name: RepositoryName,
    reference: Tag | Digest | null,
    { form = 'layout' }: { form?: ImageForm } = {},
  ): Promise<CidFacts> {
    const query = new URLSearchParams()
    if (reference !== null) query.set('reference', reference)
    if (form !== 'layout') query.set('form', form)
    return this.#get(`${repositoryPath(name)}/cid${query.size === 0 ? '' : `?${query.toString()}`}`)
  }

  #get<T>(path: string, { signal }: { signal?: AbortSignal } = {}): Promise<T> {
    return this.#connection.sendForJson('GET', path, { headers: { Accept: 'application/json' }, signal })
  }
}

/** A name is one segment here, its slashes encoded. */
function repositoryPath(name: RepositoryName): string {
  return `/api/v1/repositories/${encodeURIComponent(name)}`
}

function queryOf({ limit, after }: ListRequest, more: Record<string, string | undefined> = {}): string {
  const query = new URLSearchParams()
  for (const [key, value] of Object.entries(more)) if (value !== undefined) query.set(key, value)
  if (limit !== undefined) query.set('n', String(limit))
  if (after !== undefined) query.set('last', after)
  return query.size === 0 ? '' : `?${query.toString()}`
}
