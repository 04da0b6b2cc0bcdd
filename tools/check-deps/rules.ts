import { isBuiltin } from 'node:module'
import { posix } from 'node:path'
import {
  arrows,
  browserSafe,
  compositionRoot,
  driverFolders,
  heavyPackages,
  readsEnvironment,
} from './drawing.ts'
import type { ImportedModule, SourceFacts } from './read-imports.ts'
import type { Workspace } from './workspace.ts'

/** A source file and where it belongs. */
export interface Source {
  /** From the root, with slashes. */
  path: string
  workspace: Workspace
  facts: SourceFacts
}

/** What a rule found, without the place. */
interface Finding {
  line: number
  message: string
}

const isTest = (path: string): boolean => path.endsWith('.test.ts')

/** What several tests share lies in a folder `testing`. */
const isForTests = (path: string): boolean => isTest(path) || path.includes('/testing/')

/** The workspace that an import leads to, by package name or by path; null when it leads out of the repository. */
function targetOf(source: Source, specifier: string, all: readonly Workspace[]): Workspace | null {
  if (specifier.startsWith('.')) {
    const path = posix.join(posix.dirname(source.path), specifier)
    return all.find((workspace) => path.startsWith(workspace.folder)) ?? null
  }
  return (
    all.find(
      ({ packageName: name }) => name !== null && (specifier === name || specifier.startsWith(`${name}/`)),
    ) ?? null
  )
}

function* checkPath(source: Source, imported: ImportedModule, target: Workspace): Generator<string> {
  const { specifier } = imported
  if (!specifier.startsWith('.')) {
    if (!target.exported.has(specifier)) yield `${specifier} is not exported by its package`
    return
  }
  const path = posix.join(posix.dirname(source.path), specifier)
  const isComposition = source.workspace.packageName === null && path === compositionRoot
  const isDevelopment = source.workspace.packageName === null && target.packageName === null
  if (!isComposition && !isDevelopment)
    yield `${specifier} leaves the package; import ${target.packageName ?? target.name}`
}

function* checkArrow(source: Source, imported: ImportedModule, all: readonly Workspace[]): Generator<string> {
  const target = targetOf(source, imported.specifier, all)
  if (target === null || target.name === source.workspace.name) return
  yield* checkPath(source, imported, target)
  if (source.workspace.packageName === null) return
  if (target.name === 'testkit') {
    if (!isForTests(source.path)) yield 'testkit is for tests'
    return
  }
  const allowed = arrows[source.workspace.name] ?? []
  if (!allowed.includes(target.name)) yield `${source.workspace.name} may not import ${target.name}`
}

function* checkTesting(source: Source, { specifier }: ImportedModule): Generator<string> {
  if (!specifier.startsWith('.') || isForTests(source.path) || source.workspace.packageName === null) return
  if (isForTests(posix.join(posix.dirname(source.path), specifier))) yield `${specifier} is for tests`
}

function* checkDrivers(source: Source, imported: ImportedModule): Generator<string> {
  const drivers = driverFolders[source.workspace.name] ?? []
  const folderOf = (path: string) => path.slice(`${source.workspace.folder}src/`.length).split('/')[0] ?? ''
  if (!imported.specifier.startsWith('.') || isTest(source.path)) return
  const from = folderOf(source.path)
  const to = folderOf(posix.join(posix.dirname(source.path), imported.specifier))
  if (from !== to && drivers.includes(from) && drivers.includes(to))
    yield `driver ${from} may not import driver ${to}`
}

function* checkImport(
  source: Source,
  imported: ImportedModule,
  all: readonly Workspace[],
): Generator<string> {
  yield* checkArrow(source, imported, all)
  yield* checkTesting(source, imported)
  yield* checkDrivers(source, imported)
  if (isTest(source.path) || source.workspace.packageName === null) return
  const { specifier } = imported
  if (browserSafe.has(source.workspace.name) && isBuiltin(specifier)) {
    yield `${specifier} is not there in browsers, ${source.workspace.name} runs in them`
  }
  if (
    imported.kind === 'static' &&
    heavyPackages.some((heavy) => specifier === heavy || specifier.startsWith(heavyPrefix(heavy)))
  ) {
    yield `${specifier} is heavy; load it with import() when it is needed`
  }
}

const heavyPrefix = (name: string): string => (name.endsWith('/') || name.endsWith('-') ? name : `${name}/`)

function* checkGlobals(source: Source): Generator<Finding> {
  if (isTest(source.path) || source.workspace.packageName === null) return
  if (!readsEnvironment.some((prefix) => source.path.startsWith(prefix))) {
    for (const line of source.facts.environmentLines)
      yield { line, message: 'the environment is read by configuration alone' }
  }
  if (!browserSafe.has(source.workspace.name)) return
  for (const { name, line } of source.facts.nodeGlobals) {
    yield { line, message: `${name} is not there in browsers, ${source.workspace.name} runs in them` }
  }
}

/** Everything in one source that the architecture forbids. */
export function* checkSource(source: Source, all: readonly Workspace[]): Generator<Finding> {
  for (const imported of source.facts.imports) {
    for (const message of checkImport(source, imported, all)) yield { line: imported.line, message }
  }
  yield* checkGlobals(source)
}
