import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DescriptorBody, ManifestBody } from './registry-api.ts'
import type { ImageLayout } from './image-layout.ts'
import { authorizationOf, type User } from './users-file.ts'

/** Pushes an image layout with plain requests, for tests of clients that only read. */
export async function pushLayout(
  url: string,
  repository: string,
  layout: ImageLayout,
  user?: User,
): Promise<void> {
  const push = new LayoutPush(`${url}/v2/${repository}`, layout, authorizationOf(user))
  const index = JSON.parse(readFileSync(join(layout.folder, 'index.json'), 'utf8')) as ManifestBody
  for (const descriptor of index.manifests ?? []) await push.manifest(descriptor, '1')
}

class LayoutPush {
  readonly #repository: string
  readonly #layout: ImageLayout
  readonly #headers: Readonly<Record<string, string>>

  constructor(repository: string, layout: ImageLayout, headers: Readonly<Record<string, string>>) {
    this.#repository = repository
    this.#layout = layout
    this.#headers = headers
  }

  /** Pushes a manifest after everything that it names. */
  async manifest(descriptor: DescriptorBody, reference: string): Promise<void> {
    const bytes = this.#read(descriptor)
    const body = JSON.parse(bytes.toString('utf8')) as ManifestBody
    for (const child of body.manifests ?? []) await this.manifest(child, child.digest)
    for (const blob of [body.config, ...(body.layers ?? [])]) {
      if (blob !== undefined) await this.#blob(blob)
    }
    const type = descriptor.mediaType
    await this.#send('PUT', `${this.#repository}/manifests/${reference}`, bytes, type)
  }

  async #blob(descriptor: DescriptorBody): Promise<void> {
    const url = `${this.#repository}/blobs/uploads/?digest=${descriptor.digest}`
    await this.#send('POST', url, this.#read(descriptor), 'application/octet-stream')
  }

  async #send(method: string, url: string, bytes: Buffer, type: string): Promise<void> {
    const headers = { ...this.#headers, 'content-type': type }
    const response = await fetch(url, { method, headers, body: new Uint8Array(bytes) })
    if (response.status !== 201) {
      throw new Error(`${method} ${url}: ${response.status} ${await response.text()}`)
    }
  }

  #read({ digest }: DescriptorBody): Buffer {
    return readFileSync(join(this.#layout.folder, 'blobs', digest.replace(':', '/')))
  }
}
