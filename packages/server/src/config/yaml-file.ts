import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Document,
  type Node,
  type Pair,
} from 'yaml'
import { isField, type Field, type Section } from './field.ts'
import type { FoundValue } from './found-value.ts'
import { laterKey } from './later.ts'
import { didYouMean } from './nearest.ts'
import type { Origin, Problem } from './problem.ts'

/** What a configuration file says. */
export interface YamlReading {
  values: FoundValue[]
  problems: Problem[]
}

/**
 * Reads the text of a configuration file against the tree of keys. Values are not interpreted here; unknown keys and
 * wrong shapes are problems with their line and column.
 * @param file how the file is named in problems
 */
export function readYaml(text: string, file: string, tree: Section, allKeys: readonly string[]): YamlReading {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })
  const at = (offset: number): Origin => {
    const { line, col } = lines.linePos(offset)
    return { kind: 'file', file, line, column: col }
  }
  // An unresolved tag is only a warning to the parser; here nothing has a meaning that we do not know.
  const faults = [...document.errors, ...document.warnings]
  if (faults.length > 0) {
    const problems = faults.map(({ pos, message }) => ({ key: null, origin: at(pos[0]), message }))
    return { values: [], problems }
  }
  const walk: Walk = { document, at, allKeys, reading: { values: [], problems: [] } }
  if (document.contents !== null) readSection(walk, document.contents, tree, [])
  return walk.reading
}

interface Walk {
  document: Document
  at: (offset: number) => Origin
  allKeys: readonly string[]
  reading: YamlReading
}

/** The node that an alias stands for, or the node itself. */
function resolved(walk: Walk, node: unknown): unknown {
  return isAlias(node) ? node.resolve(walk.document) : node
}

function originOf(walk: Walk, node: unknown, fallback: Origin): Origin {
  const start = (node as Node | null)?.range?.[0]
  return start === undefined ? fallback : walk.at(start)
}

function readSection(walk: Walk, given: unknown, section: Section, above: readonly string[]): void {
  const node = resolved(walk, given)
  const key = above.join('.')
  if (isScalar(node) && node.value === null) return // `http:` with everything below it commented out.
  if (!isMap(node)) {
    const example =
      above.length === 0 ? 'such as "data_dir: ./data"' : `such as "${Object.keys(section)[0]}: …"`
    const message = `expected keys with values, ${example}`
    walk.reading.problems.push({ key: key || null, origin: originOf(walk, given, walk.at(0)), message })
    return
  }
  for (const pair of node.items) readPair(walk, pair, section, above)
}

function readPair(walk: Walk, pair: Pair, section: Section, above: readonly string[]): void {
  const origin = originOf(walk, pair.key, walk.at(0))
  const name = isScalar(pair.key) ? String(pair.key.source ?? pair.key.value) : '?'
  const path = [...above, name]
  const key = path.join('.')
  const entry = Object.hasOwn(section, name) ? section[name] : undefined
  if (entry === undefined) {
    const secret = secretBehind(section, name)
    if (secret === null)
      walk.reading.problems.push({ key, origin, message: unknownKey(walk, key, name, section, above) })
    else
      readValue(walk, pair.value, secret, [...above, name.slice(0, -'_file'.length)].join('.'), true, origin)
  } else if (isField(entry)) {
    readValue(walk, pair.value, entry, key, false, origin)
  } else {
    readSection(walk, pair.value, entry, path)
  }
}

/** The secret that `<key>_file` stands for. */
function secretBehind(section: Section, name: string): Field<unknown> | null {
  const entry = name.endsWith('_file') ? section[name.slice(0, -'_file'.length)] : undefined
  return entry !== undefined && isField(entry) && entry.secret === true ? entry : null
}

function readValue(
  walk: Walk,
  given: unknown,
  field: Field<unknown>,
  key: string,
  inFile: boolean,
  keyOrigin: Origin,
): void {
  const node = resolved(walk, given)
  const origin = originOf(walk, given, keyOrigin)
  const takesMap = field.type.printPairs !== undefined && !inFile
  const takesList = field.type.parseEntries !== undefined && !takesMap && !inFile
  if (isScalar(node)) {
    walk.reading.values.push({ key, inFile, origin, raw: scalarText(node) })
  } else if (isSeq(node) && takesList) {
    const entries = node.items.map((item) => resolved(walk, item))
    const texts = entries.map((item) => (isScalar(item) ? scalarText(item) : null))
    if (texts.every((item) => item !== null)) walk.reading.values.push({ key, inFile, origin, raw: texts })
    else walk.reading.problems.push({ key, origin, message: `expected ${field.type.expected}` })
  } else if (isMap(node) && takesMap) {
    const texts = node.items.map((pair) => entryText(pair.key, resolved(walk, pair.value)))
    if (texts.every((item) => item !== null)) walk.reading.values.push({ key, inFile, origin, raw: texts })
    else walk.reading.problems.push({ key, origin, message: `expected ${field.type.expected}` })
  } else if (node === null || node === undefined) {
    walk.reading.values.push({ key, inFile, origin, raw: null })
  } else {
    const shape = isSeq(node) ? 'a list' : 'keys below it'
    walk.reading.problems.push({ key, origin, message: `found ${shape}, expected ${field.type.expected}` })
  }
}

/** A pair of a mapping as `name=value`, which the types of such keys read. */
function entryText(name: unknown, value: unknown): string | null {
  const [key, text] = [name, value].map((node) => (isScalar(node) ? scalarText(node) : null))
  return key === null || text === null ? null : `${key}=${text}`
}

/** A scalar as it is written: numbers and words keep their spelling, quotes and blocks are taken off. */
function scalarText(node: {
  value: unknown
  type?: string | undefined
  source?: string | undefined
}): string | null {
  if (node.value === null) return null
  return typeof node.value === 'string' ? node.value : (node.source ?? null)
}

function unknownKey(
  walk: Walk,
  key: string,
  name: string,
  section: Section,
  above: readonly string[],
): string {
  const later = laterKey(key)
  if (later !== null) return `not in this release; ${later} arrives with a later one`
  const siblings = Object.keys(section).map((sibling) => [...above, sibling].join('.'))
  const namesake = walk.allKeys.find((other) => other.endsWith(`.${name}`))
  const elsewhere = namesake === undefined ? didYouMean(key, walk.allKeys) : `; did you mean ${namesake}?`
  return `unknown key${didYouMean(key, siblings) || elsewhere}`
}
