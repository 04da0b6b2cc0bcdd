import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { BlockSource } from '@openregistry/core'
import { CarError, cidParts, readCar, type Cid } from '@openregistry/dag'
import { CommandError } from '../exit-codes.ts'

/**
 * The CAR of a snapshot as somebody who has blocks. It is read once from its beginning to its end, which finds out whether it is whole; where
 * its blocks lie is kept in a temporary file, so that one of any size takes little memory.
 */
export class CarFile implements BlockSource, AsyncDisposable {
  readonly name: string
  /** Of the snapshot. */
  readonly root: Cid
  /** Earlier snapshots whose blocks are not in it. */
  readonly bases: readonly Cid[]
  readonly #file: FileHandle
  readonly #index: DatabaseSync
  readonly #find: StatementSync

  private constructor(name: string, roots: Roots, file: FileHandle, index: DatabaseSync) {
    this.name = name
    this.root = roots.root
    this.bases = roots.bases
    this.#file = file
    this.#index = index
    this.#find = index.prepare('SELECT codec, position, size FROM blocks WHERE hash = ?')
  }

  /** @throws CommandError when it is no CAR, or not whole. */
  static async open(path: string): Promise<CarFile> {
    await using opened = new AsyncDisposableStack()
    const file = opened.use(await open(path, 'r'))
    // Without a name SQLite makes a file of its own, which goes with the connection.
    const index = opened.use(new DatabaseSync(''))
    const roots = await indexBlocks(path, index)
    const car = new CarFile(path, roots, file, index)
    opened.move()
    return car
  }

  /** The codec under which a block with these bytes is here; null: it is not. */
  codecOf(cid: Cid): number | null {
    return this.#rowOf(cid)?.codec ?? null
  }

  #rowOf(cid: Cid): { codec: number; position: number; size: number } | undefined {
    return this.#find.get(cidParts(cid).digest) as
      { codec: number; position: number; size: number } | undefined
  }

  async block(cid: Cid): Promise<Uint8Array | null> {
    const row = this.#rowOf(cid)
    if (row === undefined) return null
    const { position, size } = row
    const { buffer, bytesRead } = await this.#file.read(new Uint8Array(size), 0, size, position)
    return buffer.subarray(0, bytesRead)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#index.close()
    await this.#file.close()
  }
}

/** What the header of a CAR names: the snapshot, and those that it goes on from. */
interface Roots {
  root: Cid
  bases: readonly Cid[]
}

async function indexBlocks(path: string, index: DatabaseSync): Promise<Roots> {
  index.exec(
    'CREATE TABLE blocks (hash BLOB PRIMARY KEY, codec INTEGER, position INTEGER, size INTEGER) WITHOUT ROWID',
  )
  index.exec('BEGIN')
  const insert = index.prepare('INSERT OR IGNORE INTO blocks VALUES (?, ?, ?, ?)')
  const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()
  try {
    await using car = await readCar(createReadStream(path, { highWaterMark: 1024 * 1024 }), { sha256 })
    const [root, ...bases] = car.roots
    if (root === undefined) throw new CommandError(`${path} has no root, so it is not the CAR of a snapshot.`)
    for await (const { cid, bytes, offset } of car.blocks) {
      const { digest, codec } = cidParts(cid)
      insert.run(digest, codec, offset, bytes.length)
    }
    index.exec('COMMIT')
    return { root, bases }
  } catch (cause) {
    if (cause instanceof CarError)
      throw new CommandError(`${path} cannot be used. ${cause.message}`, { cause })
    throw cause
  }
}
