import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fieldsOf, isField, type Field, type Section } from './field.ts'
import type { FoundValue } from './found-value.ts'
import type { Origin, Problem } from './problem.ts'
import { ValueMismatch, type ValueContext } from './value-type.ts'

/** A tree of keys with their values. */
export interface Interpreted {
  /** Nested as the tree; unset keys without a default, and derived ones, are null. */
  values: unknown
  /** Where each value came from, by path. */
  origins: Map<string, Origin>
  problems: Problem[]
}

/**
 * Reads every value as the type of its key and fills in defaults.
 * @param layers from weakest to strongest; a later one replaces what an earlier one says about the same key, but
 * mistakes of every layer are reported.
 */
export async function interpret(
  tree: Section,
  layers: readonly (readonly FoundValue[])[],
  context: ValueContext,
): Promise<Interpreted> {
  const fields = new Map(fieldsOf(tree))
  const values = new Map<string, unknown>()
  const origins = new Map<string, Origin>()
  const problems: Problem[] = []
  for (const [key, field] of fields) {
    values.set(key, field.default === null ? null : field.type.parse(field.default, context))
    origins.set(key, { kind: 'default' })
  }
  for (const layer of layers) {
    const seen = new Set<string>()
    for (const found of layer) {
      const field = fields.get(found.key)
      if (field === undefined) throw new TypeError(`${found.key} is not a key`)
      if (seen.has(found.key))
        problems.push(problemOf(found, `set twice; keep either ${found.key} or ${found.key}_file`))
      seen.add(found.key)
      const value = await readFound(found, field, context)
      if (value instanceof ValueMismatch) problems.push(problemOf(found, value.message))
      else values.set(found.key, value)
      origins.set(found.key, found.origin)
    }
  }
  return { values: nest(tree, values, []), origins, problems }
}

function problemOf({ key, origin }: FoundValue, message: string): Problem {
  return { key, origin, message }
}

/** The value, or a mismatch whose message is complete. */
async function readFound(found: FoundValue, field: Field<unknown>, context: ValueContext): Promise<unknown> {
  const { expected } = field.type
  if (found.raw === null) {
    const mayBeUnset =
      field.default === null && (field.derived === undefined || field.derived.orNone === true)
    return mayBeUnset && !found.inFile ? null : new ValueMismatch(`found nothing, expected ${expected}`)
  }
  let raw = found.raw
  if (found.inFile) {
    const file = resolve(context.cwd, String(raw))
    try {
      // What editors and `echo` put at the end is not part of the secret.
      raw = (await readFile(file, 'utf8')).replace(/\r?\n$/, '')
    } catch (error) {
      return new ValueMismatch(`${file} cannot be read: ${(error as Error).message}`)
    }
  }
  try {
    if (typeof raw === 'string') return field.type.parse(raw, context)
    if (field.type.parseEntries !== undefined) return field.type.parseEntries(raw, context)
    throw new ValueMismatch()
  } catch (error) {
    if (!(error instanceof ValueMismatch)) throw error
    const shown = field.secret ? 'a value that is not shown' : JSON.stringify(raw)
    return new ValueMismatch(`found ${shown}, expected ${error.message || expected}`)
  }
}

function nest(section: Section, values: ReadonlyMap<string, unknown>, above: readonly string[]): unknown {
  return Object.fromEntries(
    Object.entries(section).map(([name, entry]) => {
      const path = [...above, name]
      return [name, isField(entry) ? values.get(path.join('.')) : nest(entry, values, path)]
    }),
  )
}
