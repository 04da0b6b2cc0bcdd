import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Bytes of a volume with space. */
const roomy = 1024 * 1024 * 1024

/** Whether this user may mount file systems, so that disks can be made full. */
export async function canMount(): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'openregistry-volume-'))
  const volume = await Volume.open(folder)
  await volume[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
  return volume.isOwn
}

/** A folder that can be made full, where this user may mount file systems; else an ordinary folder. */
export class Volume implements AsyncDisposable {
  readonly path: string
  /** Whether it is a file system of its own. */
  readonly isOwn: boolean

  private constructor(path: string, isOwn: boolean) {
    this.path = path
    this.isOwn = isOwn
  }

  /** Makes the folder, and mounts memory on it if that is allowed. */
  static async open(path: string): Promise<Volume> {
    await mkdir(path, { recursive: true })
    const mounted = await run('mount', ['-t', 'tmpfs', '-o', `size=${roomy},mode=0755`, 'tmpfs', path]).then(
      () => true,
      () => false,
    )
    return new Volume(path, mounted)
  }

  /** Takes all space but so many bytes. */
  async fill(left: number): Promise<void> {
    // A size below what is used is refused, and meanwhile more may be used.
    for (let attempt = 1; ; attempt++) {
      const { blocks, bfree, bsize } = await statfs(this.path)
      const error = await this.#resize((blocks - bfree) * bsize + left).catch((refusal: unknown) => refusal)
      if (error === undefined) return
      if (attempt === 50) throw error
    }
  }

  /** Gives the space back. */
  async empty(): Promise<void> {
    await this.#resize(roomy)
  }

  async #resize(size: number): Promise<void> {
    await run('mount', ['-o', `remount,size=${size}`, this.path])
  }

  /** Takes it away with all that is in it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isOwn) await run('umount', ['--lazy', this.path])
  }
}
