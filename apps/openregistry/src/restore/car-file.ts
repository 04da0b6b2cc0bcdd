import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import type { BlockSource } from '@openregistry/core'
import { CarError, cidParts, readCar, type Cid } from '@openregistry/dag'
import { CommandError } from '../exit-codes.ts'

/**
 * A CAR as somebody who has blocks. It is read once from its beginning to its end, which finds out whether it is whole; where
 * its blocks lie is kept in a temporary file, so that one of any size takes little memory.
 */
export class CarFile implements BlockSource, AsyncDisposable {
  readonly name: string
  readonly root: Cid
  readonly #file: FileHandle
  readonly #index: DatabaseSync

  private constructor(name: string, root: Cid, file: FileHandle, index: DatabaseSync) {
    this.name = name
    this.root = root
    this.#file = file
    this.#index = index
  }

  /** @throws CommandError when it is no CAR with one root, or not whole. */
  static async open(path: string): Promise<CarFile> {
    await using opened = new AsyncDisposableStack()
    const file = opened.use(await open(path, 'r'))
    // Without a name SQLite makes a file of its own, which goes with the connection.
    const index = opened.use(new DatabaseSync(''))
    const root = await indexBlocks(path, index)
    const car = new CarFile(path, root, file, index)
    opened.move()
    return car
  }

  async block(cid: Cid): Promise<Uint8Array | null> {
    const row = this.#index
      .prepare('SELECT position, size FROM blocks WHERE hash = ?')
      .get(cidParts(cid).digest)
    if (row === undefined) return null
    const { position, size } = row as { position: number; size: number }
    const { buffer, bytesRead } = await this.#file.read(new Uint8Array(size), 0, size, position)
    return buffer.subarray(0, bytesRead)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#index.close()
    await this.#file.close()
  }
}

async function indexBlocks(path: string, index: DatabaseSync): Promise<Cid> {
  index.exec('CREATE TABLE blocks (hash BLOB PRIMARY KEY, position INTEGER, size INTEGER) WITHOUT ROWID')
  index.exec('BEGIN')
  const insert = index.prepare('INSERT OR IGNORE INTO blocks VALUES (?, ?, ?)')
  const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()
  try {
    await using car = await readCar(createReadStream(path, { highWaterMark: 1024 * 1024 }), { sha256 })
    const [root, another] = car.roots
    if (root === undefined || another !== undefined) {
      throw new CommandError(`${path} has ${car.roots.length} roots; the CAR of a snapshot has one.`)
    }
    for await (const { cid, bytes, offset } of car.blocks)
      insert.run(cidParts(cid).digest, offset, bytes.length)
    index.exec('COMMIT')
    return root
  } catch (cause) {
    if (cause instanceof CarError)
      throw new CommandError(`${path} cannot be used. ${cause.message}`, { cause })
    throw cause
  }
}
