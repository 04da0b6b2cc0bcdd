import { copyFile, link, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { StorageKey } from '@openregistry/core'

/** Codes with which a file system says that it cannot link here; copying still can. */
const cannotLink: ReadonlySet<string | undefined> = new Set([
  'EXDEV',
  'EPERM',
  'EMLINK',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
])

/** What happened to an object. */
export type CopyOutcome = 'linked' | 'copied' | 'there' | 'missing'

/**
 * Brings objects of one folder into another. Objects never change, so where both are on one file system a second name is
 * as good as a copy, takes no space, and stays when the first one goes.
 */
export class ObjectCopier {
  readonly #source: string
  readonly #target: string
  readonly #folders = new Set<string>()
  #mayLink: boolean

  constructor(folders: { source: string; target: string; mayLink: boolean }) {
    this.#source = folders.source
    this.#target = folders.target
    this.#mayLink = folders.mayLink
  }

  /** Brings one object over; `missing` when the source has none. Durable after {@link sync}. */
  async copy(key: StorageKey): Promise<CopyOutcome> {
    const name = objectFile(key)
    const from = join(this.#source, name)
    const to = join(this.#target, name)
    await this.#makeFolder(dirname(to))
    try {
      if (this.#mayLink) return await this.#link(from, to)
      return await copyDurably(from, to)
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return 'missing'
      throw error
    }
  }

  /** Resolves when every name that was made is on the disk. */
  async sync(): Promise<void> {
    for (const folder of [...this.#folders, this.#target]) {
      await using handle = await open(folder, 'r')
      await handle.sync()
    }
  }

  async #link(from: string, to: string): Promise<CopyOutcome> {
    try {
      await link(from, to)
      return 'linked'
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return 'there'
      if (!cannotLink.has(codeOf(error))) throw error
      this.#mayLink = false
      return copyDurably(from, to)
    }
  }

  async #makeFolder(folder: string): Promise<void> {
    if (this.#folders.has(folder)) return
    await mkdir(folder, { recursive: true })
    this.#folders.add(folder)
  }
}

/** Under its name there is the whole content or nothing. */
async function copyDurably(from: string, to: string): Promise<CopyOutcome> {
  if (await exists(to)) return 'there'
  const partial = `${to}.partial`
  try {
    await copyFile(from, partial)
    await using handle = await open(partial, 'r+')
    await handle.datasync()
    await rename(partial, to)
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
  return 'copied'
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  )
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}

/** Where the disk driver keeps an object, from its folder on: `<shard>/<upload>.<random>`. */
function objectFile(key: StorageKey): string {
  return join(key.slice(0, 2), key.replace('/', '.'))
}
