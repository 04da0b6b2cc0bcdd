import { decodeCid, formatCid, identityCode, maxCidSize, sameBytes, type CidParts } from '../cid-parts.ts'
import { CidError, sha256Code, type Cid } from '../cid.ts'
import { maxBlockSize } from '../unixfs-shape.ts'
import { ByteSource } from './byte-source.ts'
import { CarError } from './car-error.ts'
import { decodeCarHeader, type CarHeader } from './car-header.ts'

/** A block that is what its CID says. */
export interface CarBlock {
  cid: Cid
  /** Valid until the next block is asked for. */
  bytes: Uint8Array
  /** Where they begin in the source, in bytes. */
  offset: number
}

/** A CAR that is being read. Whoever opened it closes it, and with it the source; `await using` does. */
export interface CarReader extends AsyncDisposable {
  readonly version: 1 | 2
  /** What the header names, checked for nothing else: there may be several, and no such block may follow. */
  readonly roots: readonly Cid[]
  /**
   * The blocks, in the order in which they lie there. Can be iterated once.
   * @throws CarError, and whatever the source throws.
   */
  readonly blocks: AsyncIterable<CarBlock>
}

/** What is needed to read a CAR. */
export interface CarReaderOptions {
  sha256: (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>
  /** Bytes of the largest block that is taken, by default {@link maxBlockSize}. */
  blockLimit?: number
}

/** Bytes of the largest header that is taken: some 1500 roots. */
const headerLimit = 64 * 1024

/** The pragma of CARv2 and the fields behind it, in bytes. */
const pragmaSize = 11
const fieldsSize = 40

/**
 * Reads a CAR of version 1, or the one within a CAR of version 2 (its index is left alone). Every block is compared with
 * its CID; memory is one block, and one chunk of the source.
 *
 * @param source chunks of any size; a chunk need be valid only until the next one is asked for.
 * @throws CarError when it does not begin like a CAR; the source is closed then.
 */
export async function readCar(
  source: AsyncIterable<Uint8Array>,
  { sha256, blockLimit = maxBlockSize }: CarReaderOptions,
): Promise<CarReader> {
  const bytes = new ByteSource(source)
  try {
    const outer = await readHeader(bytes)
    const inner = outer.version === 1 ? outer : await readInner(bytes)
    return {
      version: outer.version,
      roots: inner.roots.map(formatCid),
      blocks: readBlocks(bytes, sha256, blockLimit),
      [Symbol.asyncDispose]: () => bytes[Symbol.asyncDispose](),
    }
  } catch (error) {
    await bytes[Symbol.asyncDispose]()
    throw error
  }
}

async function readHeader(bytes: ByteSource): Promise<CarHeader> {
  const length = await bytes.varint()
  if (length === null) throw new CarError('The CAR is empty.')
  if (length > headerLimit) throw new CarError(`The header of the CAR is larger than ${headerLimit} bytes.`)
  return decodeCarHeader(await bytes.take(length))
}

/** Goes to the CARv1 within a CARv2 and reads its header. */
async function readInner(bytes: ByteSource): Promise<CarHeader & { version: 1 }> {
  const fields = await bytes.take(fieldsSize)
  const view = new DataView(fields.buffer, fields.byteOffset, fieldsSize)
  const offset = Number(view.getBigUint64(16, true))
  const size = Number(view.getBigUint64(24, true))
  const gap = offset - pragmaSize - fieldsSize
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(size) || gap < 0) {
    throw new CarError('The CAR of version 2 says of its content that it lies where it cannot lie.')
  }
  await bytes.skip(gap)
  bytes.endAfter(size)
  const header = await readHeader(bytes)
  if (header.version !== 1) throw new CarError('The content of a CAR of version 2 is not one of version 1.')
  return header
}

async function* readBlocks(
  source: ByteSource,
  sha256: CarReaderOptions['sha256'],
  blockLimit: number,
): AsyncGenerator<CarBlock, void, undefined> {
  for (let length = await source.varint(); length !== null; length = await source.varint()) {
    if (length > blockLimit + maxCidSize) throw tooLarge(blockLimit)
    const section = await source.take(length)
    const { cid, size } = readCid(section)
    const bytes = section.subarray(size)
    if (bytes.length > blockLimit) throw tooLarge(blockLimit)
    await verify(cid, bytes, sha256)
    yield { cid: formatCid(cid), bytes, offset: source.taken - bytes.length }
  }
}

function readCid(section: Uint8Array): ReturnType<typeof decodeCid> {
  try {
    return decodeCid(section)
  } catch (cause) {
    if (cause instanceof CidError) throw new CarError('A block of the CAR has no CID.', { cause })
    throw cause
  }
}

async function verify(cid: CidParts, bytes: Uint8Array, sha256: CarReaderOptions['sha256']): Promise<void> {
  const { hash, digest } = cid
  if (hash !== sha256Code && hash !== identityCode) {
    throw new CarError(`A block of the CAR has hash function 0x${hash.toString(16)}, which is not read here.`)
  }
  const found = hash === identityCode ? bytes : await sha256(bytes)
  if (!sameBytes(found, digest)) {
    throw new CarError(`The block ${formatCid(cid)} of the CAR has other bytes than its CID says.`)
  }
}

function tooLarge(limit: number): CarError {
  return new CarError(`A block of the CAR is larger than ${limit} bytes.`)
}
