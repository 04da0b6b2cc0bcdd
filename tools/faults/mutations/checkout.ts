import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Mutation } from './mutation.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const run = promisify(execFile)

/** A copy of the work tree that may be damaged. */
export class Checkout implements AsyncDisposable {
  readonly folder: string

  private constructor(folder: string) {
    this.folder = folder
  }

  /** Copies every file that Git knows, and links the packages of others. */
  static async make(): Promise<Checkout> {
    const folder = await mkdtemp(join(tmpdir(), 'openregistry-mutations-'))
    const { stdout } = await run('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
      cwd: root,
    })
    for (const path of stdout.split('\0')) {
      if (!/^(packages|apps|bench|tools|bin)\/|^[^/]*\.json$|^vitest\.config\.ts$/.test(path)) continue
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await cp(join(root, path), join(folder, path)).catch((error: NodeJS.ErrnoException) => {
        // A file that was removed and not committed yet.
        if (error.code !== 'ENOENT') throw error
      })
    }
    await linkModules(folder)
    return new Checkout(folder)
  }

  /** Puts a mutation in, and gives back what takes it out again. */
  async apply({ edits }: Mutation): Promise<() => Promise<void>> {
    const sound = new Map<string, string>()
    for (const [file, find, replace] of edits) {
      const path = join(this.folder, file)
      const source = await readFile(path, 'utf8')
      // Of several edits of one file, the first one saw it whole.
      if (!sound.has(path)) sound.set(path, source)
      await writeFile(path, mutate(source, find, replace))
    }
    return async () => {
      for (const [path, source] of sound) await writeFile(path, source)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** @throws Error when the source no longer reads as the mutation expects. */
export function mutate(source: string, find: string, replace: string): string {
  const parts = source.split(find)
  if (parts.length !== 2) throw new Error(`"${find}" occurs ${parts.length - 1} times, not once.`)
  return parts.join(replace)
}

/** Packages of others are those of the work tree, our own are those of the copy. */
async function linkModules(folder: string): Promise<void> {
  const modules = join(folder, 'node_modules')
  const own = '@openregistry'
  await mkdir(join(modules, own), { recursive: true })
  for (const name of await readdir(join(root, 'node_modules')))
    if (name !== own && name !== '.cache')
      await symlink(join(root, 'node_modules', name), join(modules, name))
  for (const name of await readdir(join(folder, 'packages')))
    await symlink(join(folder, 'packages', name), join(modules, own, name))
}
