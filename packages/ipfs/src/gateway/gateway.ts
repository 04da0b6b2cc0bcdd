import { createHash } from 'node:crypto'
import { RegistryError } from '@openregistry/oci'
import type { BlockView, LentBlock } from '../block-view.ts'
import {
  attachment,
  immutable,
  isNotModified,
  plainAnswer,
  type Conditions,
  type ContentAnswer,
} from '../content-answer.ts'
import { carStream, rangeOfCar } from './car-stream.ts'
import type { GatewayRequest } from './gateway-request.ts'
import { findBlockSize, known, lendBlock } from './read-block.ts'
import { resolvePath } from './resolve-path.ts'
import { mediaTypes } from './response-format.ts'

/** A trustless gateway over stored content (specs.ipfs.tech, "Trustless Gateway Specification"). */
export interface Gateway {
  /**
   * @throws RegistryError `CONTENT_UNKNOWN` (`NOT_CACHED` to `only-if-cached`), and what parsing throws. A body may throw
   * in the middle: then the answer has to be cut off, so that nobody takes it for whole.
   */
  answer(request: GatewayRequest, conditions: Conditions): Promise<ContentAnswer>
}

/** Answers for whatever the view shows. */
export function createGateway(view: BlockView): Gateway {
  return {
    async answer(request, conditions) {
      try {
        return await (request.format === 'raw'
          ? answerRaw(view, request, conditions)
          : answerCar(view, request, conditions))
      } catch (error) {
        if (conditions.onlyIfCached !== true || !isUnknown(error)) throw error
        throw new RegistryError('NOT_CACHED', undefined, { cause: error })
      }
    },
  }
}

function isUnknown(error: unknown): boolean {
  return error instanceof RegistryError && error.code === 'CONTENT_UNKNOWN'
}

async function answerRaw(
  view: BlockView,
  request: GatewayRequest & { format: 'raw' },
  { method, ifNoneMatch, signal }: Conditions,
): Promise<ContentAnswer> {
  const etag = `"${request.cid}.raw"`
  const headers = headersOf(request, etag, `${request.cid}.bin`)
  // Whether it is here is looked at first: to have seen something once is no right to know that it still is.
  if (method === 'HEAD' || isNotModified(ifNoneMatch, etag)) {
    const length = known(await findBlockSize(view, request.root))
    if (isNotModified(ifNoneMatch, etag)) return notModified(headers)
    return plainAnswer({ status: 200, headers, length, body: null })
  }
  const block = known(await lendBlock(view, request.root, signal))
  const body = block.release === null ? block.bytes : givingBack(block)
  return plainAnswer({ status: 200, headers, length: block.bytes.length, body })
}

/** The bytes, whose memory goes back once something is asked for behind them. */
async function* givingBack({ bytes, release }: LentBlock): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes
  release?.()
}

async function answerCar(
  view: BlockView,
  request: GatewayRequest & { format: 'car' },
  { method, ifNoneMatch, signal }: Conditions,
): Promise<ContentAnswer> {
  const { root, car } = request
  const path = await resolvePath(view, root, request.segments, signal)
  const etag = carTag(request)
  const headers = headersOf(request, etag, carName(request))
  headers['Content-Type'] = `${mediaTypes.car}; version=1; order=dfs; dups=${car.duplicates ? 'y' : 'n'}`
  if (method === 'HEAD' || isNotModified(ifNoneMatch, etag)) {
    known(await findBlockSize(view, path.end))
    await rangeOfCar({ view, root, path, car, signal })
    if (isNotModified(ifNoneMatch, etag)) return notModified(headers)
    return plainAnswer({ status: 200, headers, length: null, body: null })
  }
  return streamed(headers, carStream({ view, root, path, car, signal }))
}

/** Begins a stream, so that what is wrong from the start is not found out behind the headers. */
async function streamed(
  headers: Record<string, string>,
  stream: AsyncGenerator<Uint8Array, void, undefined>,
): Promise<ContentAnswer> {
  const first = await stream.next()
  return {
    ...{ status: 200, headers, length: null },
    body: (async function* () {
      if (first.done === true) return
      yield first.value
      yield* stream
    })(),
    [Symbol.asyncDispose]: async () => void (await stream.return()),
  }
}

function notModified({ ETag, ...rest }: Record<string, string>): ContentAnswer {
  const headers = { ETag: ETag!, 'Cache-Control': rest['Cache-Control']!, Vary: rest['Vary']! }
  return plainAnswer({ status: 304, headers, length: null, body: null })
}

function headersOf(request: GatewayRequest, etag: string, name: string): Record<string, string> {
  const { format, path, cid, canonicalQuery } = request
  return {
    'Content-Type': mediaTypes[format],
    'Content-Disposition': attachment(request.filename ?? name),
    ...(canonicalQuery === null ? {} : { 'Content-Location': `${path}?${canonicalQuery}` }),
    ETag: etag,
    'Cache-Control': immutable,
    Vary: 'Accept',
    'X-Content-Type-Options': 'nosniff',
    // A block is asked for whole, a CAR in parts by dag-scope and entity-bytes.
    'Accept-Ranges': 'none',
    'X-Ipfs-Path': path,
    // The CIDs behind further segments are not known before the answer begins.
    ...(format === 'car' && request.segments.length > 0 ? {} : { 'X-Ipfs-Roots': cid }),
  }
}

function carName({ cid, segments }: GatewayRequest & { format: 'car' }): string {
  const last = segments.at(-1)
  return last === undefined ? `${cid}.car` : `${cid}_${last}.car`
}

/** Weak, since another release may write the same blocks in another way. */
function carTag({ cid, segments, car }: GatewayRequest & { format: 'car' }): string {
  const asked = JSON.stringify([segments, car.bytes, car.duplicates])
  const mark = createHash('sha256').update(asked).digest('hex').slice(0, 16)
  return `W/"${cid}.car.${car.scope}.${mark}"`
}
