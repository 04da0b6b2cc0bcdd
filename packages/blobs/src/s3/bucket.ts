import type { Readable } from 'node:stream'
import type * as Sdk from '@aws-sdk/client-s3'
import type { ByteRange } from '@openregistry/core'
import { connect, type BucketOptions } from './connect.ts'
import { refusalOf, storageFault, type Place } from './fault.ts'

export type { BucketOptions } from './connect.ts'

/** An object that was asked for. */
export interface FoundObject {
  /** Of the whole object, in bytes. */
  size: number
  etag: string | undefined
  /** What was said of it when it was written, by names in lower case; other services add names of their own. */
  metadata: Readonly<Record<string, string>>
}

/** An object that is being read. */
export interface FoundBody extends FoundObject {
  body: Readable
}

/** A part that the service has. */
export interface SentPart {
  number: number
  etag: string
}

/** What came of a request to make an object. `exists`: there is one under this name; `unknown`: there is no such upload. */
export type Published = 'stored' | 'exists' | 'unknown'

/** A page of a list, and where the next one begins. */
interface Names<Marker> {
  names: string[]
  next: Marker | null
}

/** A multipart upload that was begun and neither completed nor aborted. */
export interface OpenUpload {
  name: string
  id: string
}

/**
 * One bucket of a service that speaks S3: the requests that the driver needs, each bounded in time and attempts, each error
 * as a `RegistryError`. Names are those in the bucket.
 */
export class Bucket implements Disposable {
  readonly #sdk: typeof Sdk
  readonly #client: Sdk.S3Client
  readonly #bucket: string
  readonly #place: Place
  /** Whether the service knows `If-None-Match` on writes, as far as is known. */
  #conditional = true

  private constructor(sdk: typeof Sdk, client: Sdk.S3Client, place: Place) {
    this.#sdk = sdk
    this.#client = client
    this.#bucket = place.bucket
    this.#place = place
  }

  /** Makes what is needed to talk to the service; nothing is sent yet. */
  static async open(options: BucketOptions): Promise<Bucket> {
    const { sdk, client } = await connect(options)
    const { backend, bucket, endpoint } = options
    return new Bucket(sdk, client, { backend, bucket, endpoint })
  }

  /** Makes a small object in one request, if there is none of that name. */
  put(name: string, body: Uint8Array, metadata: Record<string, string>): Promise<Published> {
    const { PutObjectCommand } = this.#sdk
    return this.#publish('A write', name, (condition) =>
      this.#client.send(
        new PutObjectCommand({
          ...this.#at(name),
          Body: body,
          ContentType: contentType,
          Metadata: metadata,
          ...condition,
        }),
      ),
    )
  }

  /** Makes a small object in one request, in place of any other. */
  async replace(name: string, body: Uint8Array): Promise<void> {
    const { PutObjectCommand } = this.#sdk
    const input = { ...this.#at(name), Body: body, ContentType: contentType }
    await this.#try('A write', () => this.#client.send(new PutObjectCommand(input)))
  }

  /** Begins a multipart upload. @returns its id. */
  async createUpload(
    name: string,
    metadata: Record<string, string>,
    abortSignal: AbortSignal,
  ): Promise<string> {
    const { CreateMultipartUploadCommand } = this.#sdk
    const input = { ...this.#at(name), ContentType: contentType, Metadata: metadata }
    const { UploadId: id } = await this.#try('The begin of an upload', () =>
      this.#client.send(new CreateMultipartUploadCommand(input), { abortSignal }),
    )
    if (id === undefined)
      throw this.#fault('The begin of an upload', new Error('the answer has no upload id'))
    return id
  }

  /** Sends a part. Until this settles, its bytes belong to the request. */
  async sendPart(
    { name, id }: OpenUpload,
    part: { number: number; bytes: Uint8Array },
    abortSignal: AbortSignal,
  ): Promise<SentPart> {
    const { UploadPartCommand } = this.#sdk
    const { number } = part
    const input = { ...this.#at(name), UploadId: id, PartNumber: number, Body: part.bytes }
    const { ETag: etag } = await this.#try(`Part ${number} of an upload`, () =>
      this.#client.send(new UploadPartCommand(input), { abortSignal }),
    )
    if (etag === undefined)
      throw this.#fault(`Part ${number} of an upload`, new Error('the answer has no ETag'))
    return { number, etag }
  }

  /** Makes the object of all parts, if there is none of that name. */
  completeUpload({ name, id }: OpenUpload, parts: readonly SentPart[]): Promise<Published> {
    const { CompleteMultipartUploadCommand } = this.#sdk
    const Parts = parts.map(({ number, etag }) => ({ PartNumber: number, ETag: etag }))
    return this.#publish('The end of an upload', name, (condition) =>
      this.#client.send(
        new CompleteMultipartUploadCommand({
          ...this.#at(name),
          UploadId: id,
          MultipartUpload: { Parts },
          ...condition,
        }),
      ),
    )
  }

  /** Gives up a multipart upload with everything that it has; an unknown one is fine. */
  async abortUpload({ name, id }: OpenUpload, abortSignal?: AbortSignal): Promise<void> {
    const { AbortMultipartUploadCommand } = this.#sdk
    const input = { ...this.#at(name), UploadId: id }
    await this.#try('The end of an upload', async () => {
      try {
        await this.#client.send(new AbortMultipartUploadCommand(input), abortSignal ? { abortSignal } : {})
      } catch (error) {
        if (refusalOf(error).code !== 'NoSuchUpload') throw error
      }
    })
  }

  /** What the service says of an object; null when there is none. */
  async head(name: string): Promise<FoundObject | null> {
    const { HeadObjectCommand, HeadBucketCommand } = this.#sdk
    return this.#try('A look at an object', async () => {
      try {
        return foundIn(await this.#client.send(new HeadObjectCommand(this.#at(name))))
      } catch (error) {
        if (refusalOf(error).status !== 404) throw error
        // The answer has no body that says what is missing, and nothing is known of an object while its bucket is not there.
        await this.#client.send(new HeadBucketCommand({ Bucket: this.#bucket })).catch((fault: unknown) => {
          throw refusalOf(fault).status === 404 ? noBucket() : fault
        })
        return null
      }
    })
  }

  /**
   * Reads an object or a range of it that is not empty.
   * @param etag of the object when it was opened: another one may not be read on.
   * @returns null when there is none, `outside` when the range begins beyond its end.
   */
  async get(name: string, range: ByteRange | null, etag?: string): Promise<FoundBody | null | 'outside'> {
    const { GetObjectCommand } = this.#sdk
    const Range = range === null ? undefined : `bytes=${range.offset}-${range.offset + range.length - 1}`
    return this.#try('A read', async () => {
      try {
        const answer = await this.#client.send(
          new GetObjectCommand({ ...this.#at(name), Range, IfMatch: etag }),
        )
        const body = answer.Body as Readable
        if (range === null) return { ...foundIn(answer), body }
        const sent = contentRange(answer.ContentRange)
        if (sent?.offset === range.offset) return { ...foundIn(answer), size: sent.size, body }
        body.destroy()
        throw new Error('the answer is another range than the one that was asked for')
      } catch (error) {
        const { code, status } = refusalOf(error)
        if (code === 'InvalidRange' || status === 416) return 'outside'
        // Nothing else is proof: without bucket or key some answer 404, too.
        if (code === 'NoSuchKey') return null
        throw error
      }
    })
  }

  /** Removes an object; a missing one is fine. */
  async remove(name: string): Promise<void> {
    const { DeleteObjectCommand } = this.#sdk
    await this.#try('A deletion', async () => {
      try {
        await this.#client.send(new DeleteObjectCommand(this.#at(name)))
      } catch (error) {
        // Amazon answers 204; others say that there is none.
        if (refusalOf(error).code !== 'NoSuchKey') throw error
      }
    })
  }

  /** Names of objects that begin with a prefix, in pages of the service's size, in bytewise order. */
  objects(prefix: string): AsyncGenerator<string, void, undefined> {
    const { ListObjectsV2Command } = this.#sdk
    return allNames(async (marker: string | null) => {
      const input = { Bucket: this.#bucket, Prefix: prefix, ContinuationToken: marker ?? undefined }
      const page = await this.#try('A list', () => this.#client.send(new ListObjectsV2Command(input)))
      const names = (page.Contents ?? []).flatMap(({ Key }) => Key ?? [])
      return { names, next: page.IsTruncated === true ? (page.NextContinuationToken ?? null) : null }
    })
  }

  /** Multipart uploads whose names begin with a prefix. None where the service does not list them. */
  async *openUploads(prefix: string): AsyncGenerator<OpenUpload, void, undefined> {
    const { ListMultipartUploadsCommand } = this.#sdk
    let marker: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } = {}
    for (let more = true; more;) {
      const input = { Bucket: this.#bucket, Prefix: prefix, ...marker }
      const page = await this.#try('A list of uploads', async () => {
        try {
          return await this.#client.send(new ListMultipartUploadsCommand(input))
        } catch (error) {
          if (isNotImplemented(error)) return { Uploads: [] }
          throw error
        }
      })
      for (const { Key: name, UploadId: id } of page.Uploads ?? []) {
        if (name?.startsWith(prefix) === true && id !== undefined) yield { name, id }
      }
      more = 'IsTruncated' in page && page.IsTruncated === true && page.NextKeyMarker !== undefined
      if ('NextKeyMarker' in page)
        marker = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker }
    }
  }

  /** A URL with which anybody can read the object for so many seconds. */
  async presign(name: string, lifetime: number): Promise<string> {
    const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner')
    const command = new this.#sdk.GetObjectCommand(this.#at(name))
    return this.#try('A signature', () => getSignedUrl(this.#client, command, { expiresIn: lifetime }))
  }

  [Symbol.dispose](): void {
    this.#client.destroy()
  }

  #at(name: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: name }
  }

  /** Sends what makes an object, on the condition that there is none; where the service knows no conditions, after a look. */
  async #publish(
    operation: string,
    name: string,
    send: (condition: { IfNoneMatch?: '*' }) => Promise<unknown>,
  ): Promise<Published> {
    try {
      if (this.#conditional) {
        await send({ IfNoneMatch: '*' })
        return 'stored'
      }
    } catch (error) {
      if (!isNotImplemented(error)) return this.#refused(error, operation)
      this.#conditional = false
    }
    if ((await this.head(name)) !== null) return 'exists'
    try {
      await send({})
      return 'stored'
    } catch (error) {
      return this.#refused(error, operation)
    }
  }

  /** @throws RegistryError unless the refusal says something about the name. */
  #refused(error: unknown, operation: string): Published {
    const { code, status } = refusalOf(error)
    // 409 is what Amazon answers while another write of that name is under way.
    if (status === 412 || code === 'ConditionalRequestConflict') return 'exists'
    if (code === 'NoSuchUpload') return 'unknown'
    throw this.#fault(operation, error)
  }

  async #try<T>(operation: string, send: () => Promise<T>): Promise<T> {
    try {
      return await send()
    } catch (error) {
      throw this.#fault(operation, error)
    }
  }

  #fault(operation: string, error: unknown): Error {
    return storageFault(error, operation, this.#place)
  }
}

/** Whatever it is: no browser may take it for a page. */
const contentType = 'application/octet-stream'

function foundIn(answer: {
  ContentLength?: number | undefined
  ETag?: string | undefined
  Metadata?: Record<string, string> | undefined
}): FoundObject {
  return { size: answer.ContentLength ?? 0, etag: answer.ETag, metadata: answer.Metadata ?? {} }
}

/** Where `bytes 10-19/1234` begins, and the size of the whole (RFC 9110, 14.4). */
function contentRange(header: string | undefined): { offset: number; size: number } | null {
  const [, offset, size] = /^bytes (\d{1,16})-\d{1,16}\/(\d{1,16})$/.exec(header ?? '') ?? []
  return offset === undefined || size === undefined ? null : { offset: Number(offset), size: Number(size) }
}

function noBucket(): Error {
  return Object.assign(new Error('there is no such bucket'), {
    name: 'NoSuchBucket',
    $metadata: { httpStatusCode: 404 },
  })
}

function isNotImplemented(error: unknown): boolean {
  const { code, status } = refusalOf(error)
  return status === 501 || code === 'NotImplemented'
}

async function* allNames<Marker>(
  page: (marker: Marker | null) => Promise<Names<Marker>>,
): AsyncGenerator<string, void, undefined> {
  for (let marker: Marker | null = null, more = true; more;) {
    const { names, next }: Names<Marker> = await page(marker)
    yield* names
    marker = next
    more = next !== null
  }
}
