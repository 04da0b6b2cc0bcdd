import { parseAst } from 'vitest/node'

/** How a source names another module. */
export interface ImportedModule {
  /** As it is written: `./x.ts`, `node:fs`, `@openregistry/oci`. */
  specifier: string
  /**
   * `static`: loaded with the file. `type`: erased. `dynamic`: `import()` when that line runs. `url`:
   * `new URL('…', import.meta.url)`, which is how workers are started.
   */
  kind: 'static' | 'type' | 'dynamic' | 'url'
  /** Counted from 1. */
  line: number
}

/** What the rules need to know about one source file. */
export interface SourceFacts {
  imports: ImportedModule[]
  /** Lines that read `process.env`, or import `env` of `node:process`. */
  environmentLines: number[]
  /** Uses of Node's own globals. */
  nodeGlobals: { name: string; line: number }[]
}

interface Node {
  type: string
  start: number
  [key: string]: unknown
}

const nodeGlobalNames: ReadonlySet<string> = new Set([
  'process',
  'Buffer',
  '__dirname',
  '__filename',
  'require',
])

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string'
}

/** Every node of a tree, parents first, with the node above it. */
function* walk(node: Node, parent: Node | null = null): Generator<{ node: Node; parent: Node | null }> {
  yield { node, parent }
  for (const value of Object.values(node)) {
    if (isNode(value)) yield* walk(value, node)
    else if (Array.isArray(value)) for (const item of value) if (isNode(item)) yield* walk(item, node)
  }
}

function literalOf(node: unknown): string | null {
  return isNode(node) && node.type === 'Literal' && typeof node['value'] === 'string' ? node['value'] : null
}

function nameOf(node: unknown): string | null {
  if (!isNode(node)) return null
  if (node.type === 'Identifier') return typeof node['name'] === 'string' ? node['name'] : null
  return literalOf(node)
}

/** A module that this node names, if it is an import in any form. */
function importOf(node: Node): Omit<ImportedModule, 'line'> | null {
  switch (node.type) {
    case 'ImportDeclaration': {
      const specifier = literalOf(node['source'])
      return specifier === null
        ? null
        : { specifier, kind: node['importKind'] === 'type' ? 'type' : 'static' }
    }
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration': {
      const specifier = literalOf(node['source'])
      return specifier === null
        ? null
        : { specifier, kind: node['exportKind'] === 'type' ? 'type' : 'static' }
    }
    case 'ImportExpression': {
      const specifier = literalOf(node['source'])
      return specifier === null ? null : { specifier, kind: 'dynamic' }
    }
    case 'TSImportType': {
      const specifier = literalOf(node['source'] ?? node['argument'])
      return specifier === null ? null : { specifier, kind: 'type' }
    }
    case 'NewExpression': {
      const [path, base] = node['arguments'] as unknown[]
      const specifier = nameOf(node['callee']) === 'URL' ? literalOf(path) : null
      const isBesideFile =
        isNode(base) && base.type === 'MemberExpression' && nameOf(base['property']) === 'url'
      return specifier === null || !isBesideFile ? null : { specifier, kind: 'url' }
    }
    default:
      return null
  }
}

function readsProcessEnv(node: Node): boolean {
  if (node.type === 'MemberExpression') {
    const object = node['object']
    const isProcess =
      nameOf(object) === 'process' || (isNode(object) && nameOf(object['property']) === 'process')
    return isProcess && nameOf(node['property']) === 'env'
  }
  if (node.type === 'ImportDeclaration' && literalOf(node['source'])?.replace('node:', '') === 'process') {
    return (node['specifiers'] as Node[]).some((specifier) => nameOf(specifier['imported']) === 'env')
  }
  // `const { env } = process`
  if (node.type !== 'VariableDeclarator' || nameOf(node['init']) !== 'process') return false
  const pattern = node['id']
  if (!isNode(pattern) || pattern.type !== 'ObjectPattern') return false
  return (pattern['properties'] as Node[]).some((property) => nameOf(property['key']) === 'env')
}

/** Whether an identifier stands for a variable, and not for the name of a property. */
function isVariable(node: Node, parent: Node | null): boolean {
  if (parent === null) return true
  if (parent.type === 'MemberExpression') return parent['property'] !== node || parent['computed'] === true
  return !(parent['key'] === node && parent['computed'] !== true)
}

/** Reads a TypeScript or JavaScript source. Throws a `SyntaxError` with the position where it cannot be parsed. */
export function readSource(text: string): SourceFacts {
  const tree: unknown = parseAst(text, { lang: 'ts', sourceType: 'module' })
  const facts: SourceFacts = { imports: [], environmentLines: [], nodeGlobals: [] }
  if (!isNode(tree)) return facts
  const lineOf = (node: Node) => text.slice(0, node.start).split('\n').length
  for (const { node, parent } of walk(tree)) {
    const imported = importOf(node)
    if (imported !== null) facts.imports.push({ ...imported, line: lineOf(node) })
    if (readsProcessEnv(node)) facts.environmentLines.push(lineOf(node))
    const name = node.type === 'Identifier' ? nameOf(node) : null
    if (name !== null && nodeGlobalNames.has(name) && isVariable(node, parent)) {
      facts.nodeGlobals.push({ name, line: lineOf(node) })
    }
  }
  return facts
}
