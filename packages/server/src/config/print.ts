import { variableOf } from './environment.ts'
import { fieldsOf, isField, type Field, type Section } from './field.ts'
import { tree, type Config } from './tree.ts'

/** Stands for a secret that is set. */
const mask = '********'

/** What is written for a key: a value, or nothing at all. */
type ValueOf = (key: string, field: Field<unknown>) => string

/**
 * The configuration in the notation of its file, with every key explained; secrets are masked. As JSON it can be used
 * as a file too.
 */
export function printConfig(config: Config, options: { json: boolean }): string {
  return printValues(tree, config, options)
}

/** {@link printConfig} for any tree of keys. */
export function printValues(section: Section, values: unknown, { json }: { json: boolean }): string {
  if (json) return `${JSON.stringify(jsonOf(section, values), null, 2)}\n`
  const valueOf: ValueOf = (key, field) => yamlValue(field, lookUp(values, key))
  return printSection(section, valueOf, []).join('\n') + '\n'
}

/** A file with every key at its default, commented out: openregistry.example.yaml. */
export function printExample(section: Section): string {
  const valueOf: ValueOf = (_key, field) => yamlText(field.derived?.usually ?? field.default)
  const intro = [
    '# Every key of OpenRegistry with its default. To change some, copy this file to openregistry.yaml and take the #',
    '# off their lines and off those of the groups around them. Environment variables, named here too, win over it.',
    '',
  ]
  // Explanations begin at the margin, so that taking the # off a key leaves it where it belongs.
  const lines = printSection(section, valueOf, []).map((line) =>
    /^ *#/.test(line) ? line.trim() : `#${line}`,
  )
  return [...intro, ...lines].join('\n') + '\n'
}

/** What docs/configuration.md says about every key. */
export function printReference(section: Section): string {
  const sentences = [...fieldsOf(section)].map(([key, field]) => {
    const standard = field.derived?.said ?? (field.default === null ? 'none' : `\`${field.default}\``)
    const zero = field.zero === undefined ? '' : ` 0 means ${field.zero}.`
    const [expected] = field.type.expected.split(', such as')
    return `- **\`${key}\`**: ${field.doc}${zero} Takes ${expected}. Default: ${standard}.`
  })
  return sentences.join('\n') + '\n'
}

function printSection(section: Section, valueOf: ValueOf, above: readonly string[]): string[] {
  const indent = '  '.repeat(above.length)
  return Object.entries(section).flatMap(([name, entry]) => {
    const path = [...above, name]
    if (!isField(entry)) return [`${indent}${name}:`, ...printSection(entry, valueOf, path)]
    const key = path.join('.')
    const comment = describe(key, entry, 106 - indent.length).map((line) => `${indent}# ${line}`)
    return [...comment, `${indent}${name}: ${valueOf(key, entry)}`]
  })
}

/** What there is to say about a key, in lines. */
function describe(key: string, field: Field<unknown>, width: number): string[] {
  const said = field.zero === undefined ? field.doc : `${field.doc} 0: ${field.zero}.`
  return [...wrap(said, width), `Default: ${defaultOf(field)}. ${variableOf(key)}`]
}

/** The default of a key for people. */
function defaultOf(field: Field<unknown>): string {
  return field.derived?.said ?? field.default ?? 'none'
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

function lookUp(values: unknown, key: string): unknown {
  return key.split('.').reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], values)
}

function yamlValue(field: Field<unknown>, value: unknown): string {
  if (value === null) return 'null'
  if (field.secret) return mask
  if (Array.isArray(value)) return `[${value.map((item) => yamlText(field.type.print([item]))).join(', ')}]`
  const pairs = field.type.printPairs?.(value as NonNullable<unknown>)
  if (pairs !== undefined)
    return `{ ${pairs.map(([name, text]) => `${yamlText(name)}: ${yamlText(text)}`).join(', ')} }`
  return yamlText(field.type.print(value as NonNullable<unknown>))
}

/** Text as a YAML scalar: plain where nobody could take it for anything else, else in quotes. */
function yamlText(text: string | null): string {
  if (text === null) return 'null'
  const plain = /^[A-Za-z0-9_./][A-Za-z0-9_./:@%+-]*$/.test(text) && !text.endsWith(':')
  return plain && !/^(null|\.)$/i.test(text) ? text : JSON.stringify(text)
}

function jsonOf(section: Section, values: unknown): unknown {
  return Object.fromEntries(
    Object.entries(section).map(([name, entry]) => {
      const value = (values as Record<string, unknown>)[name]
      return [name, isField(entry) ? jsonValue(entry, value) : jsonOf(entry, value)]
    }),
  )
}

/** Durations and sizes keep the notation of the file; what JSON knows stays what it is. */
function jsonValue(field: Field<unknown>, value: unknown): unknown {
  if (value === null) return null
  if (field.secret) return mask
  if (Array.isArray(value)) return value.map((item) => field.type.print([item]))
  const pairs = field.type.printPairs?.(value as NonNullable<unknown>)
  if (pairs !== undefined) return Object.fromEntries(pairs)
  const printed = field.type.print(value as NonNullable<unknown>)
  const same = typeof value === 'number' || typeof value === 'boolean' ? String(value) === printed : false
  return same ? value : printed
}
