import { mediaTypes } from '@openregistry/oci'
import type { Content, HttpClient, HttpRequest, HttpResponse, Image } from '@openregistry/testkit'
import { expect } from 'vitest'
import { UploadSession } from './upload-session.ts'

const manifestTypes = [
  mediaTypes.ociManifest,
  mediaTypes.ociIndex,
  mediaTypes.dockerManifest,
  mediaTypes.dockerManifestList,
]

/** A request below the path of a repository. */
export type RepositoryRequest = Omit<HttpRequest, 'path'>

/** A repository of the registry under test. */
export class Repository {
  readonly http: HttpClient
  readonly name: string

  constructor(http: HttpClient, name: string) {
    this.http = http
    this.name = name
  }

  /** `/v2/<name>/<rest>` */
  path(rest: string): string {
    return `/v2/${this.name}/${rest}`
  }

  /** Sends any request below the repository. */
  send(rest: string, request: RepositoryRequest = {}): Promise<HttpResponse> {
    return this.http.send({ ...request, path: this.path(rest) })
  }

  /** Sends GET. */
  get(rest: string, headers: Record<string, string> = {}): Promise<HttpResponse> {
    return this.send(rest, { headers })
  }

  /** Sends HEAD. */
  head(rest: string, headers: Record<string, string> = {}): Promise<HttpResponse> {
    return this.send(rest, { method: 'HEAD', headers })
  }

  /** Pulls a manifest, as clients do that know all kinds. */
  pullManifest(
    reference: string,
    method: 'GET' | 'HEAD' = 'GET',
    headers: Record<string, string> = {},
  ): Promise<HttpResponse> {
    return this.send(`manifests/${reference}`, { method, headers: { accept: manifestTypes, ...headers } })
  }

  /** Sends DELETE. */
  delete(rest: string): Promise<HttpResponse> {
    return this.send(rest, { method: 'DELETE' })
  }

  /** Opens an upload session (end-4a), with a query like `?digest-algorithm=sha512`. */
  async openUpload(query = ''): Promise<UploadSession> {
    const response = await this.send(`blobs/uploads/${query}`, {
      method: 'POST',
      headers: { 'content-length': '0' },
    })
    expect(response.status).toBe(202)
    return new UploadSession(this.http, response)
  }

  /** Sends a manifest (end-7) with its own media type, and says nothing about the answer. */
  sendManifest(content: Content, reference: string = content.digest): Promise<HttpResponse> {
    return this.send(`manifests/${reference}`, {
      method: 'PUT',
      headers: { 'content-type': content.mediaType },
      body: content.bytes,
    })
  }

  /** Pushes a blob in two requests. It has to succeed. */
  async pushBlob(content: Content): Promise<void> {
    const upload = await this.openUpload()
    const response = await upload.finish(content.digest, { body: content.bytes })
    expect(response.status).toBe(201)
  }

  /** Pushes a manifest. It has to succeed. */
  async pushManifest(content: Content, reference: string = content.digest): Promise<HttpResponse> {
    const response = await this.sendManifest(content, reference)
    expect(response.status, response.text()).toBe(201)
    return response
  }

  /** Pushes the blobs of an image and then its manifest. It has to succeed. */
  async pushImage(image: Image, reference: string = image.manifest.digest): Promise<HttpResponse> {
    for (const blob of image.blobs) await this.pushBlob(blob)
    return this.pushManifest(image.manifest, reference)
  }
}
