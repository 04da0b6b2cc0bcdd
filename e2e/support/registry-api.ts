import { authorizationOf, type User } from './users-file.ts'

/** One manifest as the registry returns it. */
export interface FetchedManifest {
  digest: string
  mediaType: string
  cid: string | null
  body: ManifestBody
}

/** The members of manifests and indexes that the tests look at. */
export interface ManifestBody {
  schemaVersion: number
  mediaType?: string
  artifactType?: string
  config?: DescriptorBody
  layers?: DescriptorBody[]
  manifests?: DescriptorBody[]
  subject?: DescriptorBody
}

/** A descriptor as it stands in JSON. */
export interface DescriptorBody {
  mediaType: string
  digest: string
  size: number
  artifactType?: string
  platform?: { architecture: string; os: string }
}

const manifestTypes = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
].join(', ')

/** Plain requests to a registry: what no client is asked to tell about itself. */
export class RegistryApi {
  readonly #url: string
  readonly #authorization: Readonly<Record<string, string>>

  /**
   * @param url for example `http://127.0.0.1:5000`
   * @param user who asks; nobody when it is missing
   */
  constructor(url: string, user?: User) {
    this.#url = url
    this.#authorization = authorizationOf(user)
  }

  async #send(method: string, path: string, headers: Record<string, string>, body?: string) {
    const all = { ...this.#authorization, ...headers }
    const response = await fetch(`${this.#url}${path}`, { method, headers: all, body: body ?? null })
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
    return response
  }

  async #get(path: string, accept = '*/*'): Promise<Response> {
    return this.#send('GET', path, { accept })
  }

  /** Lets everybody pull from a repository, or only users. */
  async setVisibility(repository: string, visibility: 'public' | 'private'): Promise<void> {
    const path = `/api/v1/repositories/${encodeURIComponent(repository)}`
    await this.#send('PATCH', path, { 'content-type': 'application/json' }, JSON.stringify({ visibility }))
  }

  /** All tags of a repository. */
  async tags(repository: string): Promise<string[]> {
    const response = await this.#get(`/v2/${repository}/tags/list`)
    return ((await response.json()) as { tags: string[] }).tags
  }

  /** A manifest by tag or digest. */
  async manifest(repository: string, reference: string): Promise<FetchedManifest> {
    const response = await this.#get(`/v2/${repository}/manifests/${reference}`, manifestTypes)
    return {
      digest: response.headers.get('docker-content-digest') ?? '',
      mediaType: response.headers.get('content-type') ?? '',
      cid: response.headers.get('openregistry-cid'),
      body: (await response.json()) as ManifestBody,
    }
  }

  /** The descriptors of what refers to a manifest. */
  async referrers(repository: string, digest: string): Promise<DescriptorBody[]> {
    const response = await this.#get(`/v2/${repository}/referrers/${digest}`)
    return ((await response.json()) as { manifests: DescriptorBody[] }).manifests
  }
}
