import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { arrows } from './drawing.ts'
import { readSource, type SourceFacts } from './read-imports.ts'
import { checkSource } from './rules.ts'
import { readWorkspaces, sourcesOf } from './workspace.ts'

/** Everything under `root` that the architecture forbids, one line each: `<path>:<line>  <what>`. Sorted. */
export function checkTree(root: string): { sources: number; findings: string[] } {
  const workspaces = readWorkspaces(root)
  const findings: string[] = []
  let sources = 0
  for (const workspace of workspaces) {
    if (workspace.packageName !== null && arrows[workspace.name] === undefined) {
      findings.push(`${workspace.folder}:1  not in the drawing of the architecture`)
    }
    for (const path of sourcesOf(root, workspace)) {
      sources++
      const facts = factsOf(root, path)
      if (typeof facts === 'string') {
        findings.push(`${path}:1  ${facts}`)
        continue
      }
      for (const { line, message } of checkSource({ path, workspace, facts }, workspaces)) {
        findings.push(`${path}:${line}  ${message}`)
      }
    }
  }
  return { sources, findings: findings.toSorted() }
}

/** The facts of a source, or why it cannot be read. */
function factsOf(root: string, path: string): SourceFacts | string {
  try {
    return readSource(readFileSync(join(root, path), 'utf8'))
  } catch (error) {
    return `cannot be parsed: ${error instanceof Error ? error.message : String(error)}`
  }
}
