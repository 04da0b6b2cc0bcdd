import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { developmentFolders } from './drawing.ts'

/** A package of the repository, or one of its development folders. */
export interface Workspace {
  /** Name of its folder, as in the drawing: `core`, `openregistry`, `e2e`. */
  name: string
  /** Path from the root, with a slash at the end: `packages/core/`. */
  folder: string
  /** The name to import it by; null for a development folder. */
  packageName: string | null
  /** What may be imported of it: the package name, and with its subpaths. */
  exported: ReadonlySet<string>
}

function exportedNames(packageName: string, exports: unknown): Set<string> {
  if (typeof exports !== 'object' || exports === null) return new Set([packageName])
  return new Set(Object.keys(exports).map((path) => packageName + path.slice(1)))
}

/** Every workspace under `root`. */
export function readWorkspaces(root: string): Workspace[] {
  const found: Workspace[] = []
  for (const parent of ['packages', 'apps']) {
    if (!existsSync(join(root, parent))) continue
    for (const name of readdirSync(join(root, parent))) {
      const manifest = join(root, parent, name, 'package.json')
      if (!existsSync(manifest)) continue
      const { name: packageName, exports } = JSON.parse(readFileSync(manifest, 'utf8')) as {
        name: string
        exports?: unknown
      }
      found.push({
        name,
        folder: `${parent}/${name}/`,
        packageName,
        exported: exportedNames(packageName, exports),
      })
    }
  }
  for (const name of developmentFolders) {
    if (existsSync(join(root, name))) {
      found.push({ name, folder: `${name}/`, packageName: null, exported: new Set() })
    }
  }
  return found
}

const sourceName = /\.(ts|mts|js|mjs)$/

/** Paths from the root of all sources of a workspace. */
export function sourcesOf(root: string, workspace: Workspace): string[] {
  return readdirSync(join(root, workspace.folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && sourceName.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter((path) => !path.includes('/node_modules/'))
}
