import { RegistryError } from './errors.ts'

declare const tag: unique symbol

/** A tag that was checked. Tags are case-sensitive. */
export type Tag = string & { readonly [tag]: true }

const form = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/

/**
 * A tag as a client wrote it (distribution specification, "Pulling manifests"): a letter, digit or underscore, then up
 * to 127 more of these, dots and hyphens.
 * @throws RegistryError `TAG_INVALID`, saying what is wrong.
 */
export function parseTag(text: string): Tag {
  if (form.test(text)) return text as Tag
  throw new RegistryError('TAG_INVALID', `Not a tag: ${reasonAgainst(text)}`)
}

function reasonAgainst(text: string): string {
  if (text === '') return 'it is empty.'
  if (text.length > 128) return `it has ${text.length} characters, at most 128 are allowed.`
  if (/^[.-]/.test(text)) return 'it must begin with a letter, a digit or _.'
  return 'only letters, digits, and _ . - are allowed.'
}
