import type { ValueType } from './value-type.ts'

/** What is said about a key. From here come defaults, variable names, comments and the documentation. */
export interface FieldText {
  /** What the key does, in one or two sentences, with the unit where the value has none of its own. */
  readonly doc: string
  /** What 0 means, for keys that accept it with a meaning of its own. */
  readonly zero?: string
  /** For a default that depends on other keys, which the loader's rules compute. */
  readonly derived?: {
    /** The rule, in words. */
    readonly said: string
    /** What comes of it where nothing else is set. */
    readonly usually: string
    /** Whether nothing may come of it, so that null stands for it where the configuration is written down. */
    readonly orNone?: true
  }
  /** Never printed, and may be read from a file named by `<key>_file`. */
  readonly secret?: true
}

/** One key of the configuration. */
export interface Field<T> extends FieldText {
  readonly kind: 'field'
  readonly type: ValueType<NonNullable<T>>
  /** The default as it would be written, or null for none. */
  readonly default: string | null
}

/** A group of keys. */
export interface Section {
  readonly [key: string]: Field<unknown> | Section
}

/** The values of a group of keys. */
export type Values<S> = S extends Field<infer T> ? T : { readonly [K in keyof S]: Values<S[K]> }

/** A key with a default, written as in YAML. */
export function field<T>(type: ValueType<NonNullable<T>>, fallback: string, said: FieldText): Field<T>
/** A key that may be left without a value. */
export function field<T>(type: ValueType<NonNullable<T>>, fallback: null, said: FieldText): Field<T | null>
export function field<T>(
  type: ValueType<NonNullable<T>>,
  fallback: string | null,
  said: FieldText,
): Field<T | null> {
  return { kind: 'field', type, default: fallback, ...said }
}

/** A key whose default depends on other keys: `derived` says how, and the rules compute it, so it is never null. */
export function derivedField<T>(
  type: ValueType<NonNullable<T>>,
  said: FieldText & { readonly derived: NonNullable<FieldText['derived']> },
): Field<T> {
  return { kind: 'field', type, default: null, ...said }
}

/** Whether an entry of a section is a key, not a group. */
export function isField(entry: Field<unknown> | Section): entry is Field<unknown> {
  return (entry as { kind?: unknown }).kind === 'field'
}

/** Every key below a section with its path, in the order of the tree. */
export function* fieldsOf(
  section: Section,
  above: readonly string[] = [],
): Generator<[path: string, Field<unknown>]> {
  for (const [key, entry] of Object.entries(section)) {
    const path = [...above, key]
    if (isField(entry)) yield [path.join('.'), entry]
    else yield* fieldsOf(entry, path)
  }
}
