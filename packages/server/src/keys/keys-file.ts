import { randomBytes, randomUUID } from 'node:crypto'
import { link, mkdir, open, rm, type FileHandle } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Logger } from '../log/logger.ts'
import { keysOf, type Keys } from './keys.ts'

/** The keys file cannot be used; the message names it and says why. */
export class KeysFileError extends Error {
  constructor(path: string, problem: string) {
    super(`the keys file ${path} ${problem}`)
    this.name = 'KeysFileError'
  }
}

/** Bytes that are read of a keys file; one has less than a hundred. */
const sizeLimit = 4096

/**
 * Opens the keys file; makes it, readable by its owner alone, if it is not there. All servers of a registry have to have the
 * same one, or each is somebody else to the network.
 *
 * When this returns, a new file survives a power cut. Of several processes that make it at once, one does.
 * @throws KeysFileError when the file holds something else; the error of the system when it cannot be read or made.
 */
export async function openKeysFile(path: string, log: Logger): Promise<Keys> {
  const secret = (await read(path, log)) ?? (await create(path, log))
  return keysOf(secret)
}

/**
 * The keys in a keys file, or null when there is none.
 * @throws as {@link openKeysFile}.
 */
export async function findKeysFile(path: string, log: Logger): Promise<Keys | null> {
  const secret = await read(path, log)
  return secret === null ? null : keysOf(secret)
}

async function read(path: string, log: Logger): Promise<Uint8Array | null> {
  await using file = await openIfThere(path)
  if (file === null) return null
  const { mode } = await file.stat()
  if ((mode & 0o077) !== 0) {
    log.warn('keys_file_open', {
      path,
      message: 'Others on this machine can read the keys file; chmod 600 it.',
    })
  }
  const { buffer, bytesRead } = await file.read(Buffer.alloc(sizeLimit), 0, sizeLimit, 0)
  return parse(path, buffer.toString('utf8', 0, bytesRead))
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

function parse(path: string, text: string): Uint8Array {
  const secret = secretIn(text)
  if (secret === null) {
    throw new KeysFileError(
      path,
      'is not what openregistry wrote; bring it back from a copy, or delete it for new keys.',
    )
  }
  return secret
}

function secretIn(text: string): Uint8Array | null {
  try {
    const { version, secret } = JSON.parse(text) as { version?: unknown; secret?: unknown }
    if (version !== 1 || typeof secret !== 'string') return null
    const bytes = Buffer.from(secret, 'base64url')
    return bytes.length === 32 ? bytes : null
  } catch {
    // Whatever is no JSON, or no object, is no keys file either.
    return null
  }
}

/** Makes the file under another name first, so that nobody ever reads half of it. */
async function create(path: string, log: Logger): Promise<Uint8Array> {
  const folder = dirname(resolve(path))
  await mkdir(folder, { recursive: true })
  const unfinished = `${path}.${randomUUID()}`
  const secret = randomBytes(32)
  try {
    await writeDurably(
      unfinished,
      `${JSON.stringify({ version: 1, secret: secret.toString('base64url') })}\n`,
    )
    await link(unfinished, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const winner = await read(path, log)
    if (winner === null) throw error
    return winner
  } finally {
    await rm(unfinished, { force: true })
  }
  await syncFolder(folder)
  log.info('keys_file_made', { path })
  return secret
}

async function writeDurably(path: string, text: string): Promise<void> {
  await using file = await open(path, 'wx', 0o600)
  await file.writeFile(text)
  await file.sync()
}

async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r')
  await handle.sync()
}
