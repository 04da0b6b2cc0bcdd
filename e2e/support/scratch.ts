import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { cleanEnvironment } from './environment.ts'
import { attempt } from './run.ts'

/** Sockets of daemons lie in scratch folders, and the path of a socket has room for 107 characters. */
const longestFolder = 50

/** A folder for the time of some tests. Disposing unmounts what is mounted in it and deletes it. */
export class Scratch implements AsyncDisposable {
  readonly path: string

  constructor() {
    const parent = tmpdir().length > longestFolder ? '/tmp' : tmpdir()
    this.path = mkdtempSync(join(parent, 'or-e2e-'))
  }

  /** Makes a folder in it. */
  folder(name: string): string {
    const path = join(this.path, name)
    mkdirSync(path, { recursive: true })
    return path
  }

  /** Writes a file in it. @returns its path. */
  file(name: string, content: string | Buffer): string {
    const path = join(this.path, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content)
    return path
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const point of mountsBelow(this.path)) {
      await attempt('umount', [point], { env: cleanEnvironment(this.path) })
    }
    await rm(this.path, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Mount points in a folder, the innermost first; none where there is no /proc. */
function mountsBelow(folder: string): string[] {
  let mounts: string
  try {
    mounts = readFileSync('/proc/self/mounts', 'utf8')
  } catch {
    return [] // Not Linux: nothing here mounts anything.
  }
  const points = mounts.split('\n').map((line) => line.split(' ')[1] ?? '')
  return points.filter((point) => point.startsWith(`${folder}/`)).toReversed()
}
