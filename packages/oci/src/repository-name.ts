import { RegistryError } from './errors.ts'

declare const repositoryName: unique symbol

/** A repository name that was checked, for example `me/app`. */
export type RepositoryName = string & { readonly [repositoryName]: true }

/** Longest name in characters. Many clients limit host, slash and name together to as many. */
export const repositoryNameLimit = 255

/** First components that no repository may have: `/v2/ipfs/<cid>/…` is where images are pulled by CID. */
const reserved: ReadonlySet<string> = new Set(['ipfs'])

/** One component of a name, and all of it. No two ways lead through them, so they are checked in linear time. */
const component = /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*$/
const components = /^[a-z0-9]+(?:(?:[./]|__?|-+)[a-z0-9]+)*$/

/**
 * A repository name as a client wrote it (distribution specification, "Pulling manifests", `<name>`): components of
 * lower-case letters and digits, separated inside by one dot, one or two underscores or any run of hyphens; joined by
 * slashes; any depth.
 * @throws RegistryError `NAME_INVALID`, saying which part is wrong.
 */
export function parseRepositoryName(text: string): RepositoryName {
  if (text === '') throw invalid('it is empty.')
  if (text.length > repositoryNameLimit) {
    throw invalid(`it has ${text.length} characters, at most ${repositoryNameLimit} are allowed.`)
  }
  if (!components.test(text))
    throw invalid(reasonAgainst(text.split('/').find((part) => !component.test(part)) ?? ''))
  const first = namespaceOf(text)
  if (reserved.has(first)) {
    throw invalid(`a first component ${first} is reserved: images are pulled there by their CID.`)
  }
  return text as RepositoryName
}

/** The namespace of a name: its first component (which may be all of it). */
export function namespaceOf(name: string): string {
  const slash = name.indexOf('/')
  return slash === -1 ? name : name.slice(0, slash)
}

function invalid(reason: string): RegistryError {
  return new RegistryError('NAME_INVALID', `Not a repository name: ${reason}`)
}

function reasonAgainst(part: string): string {
  if (part === '') return 'it has an empty component (a slash at the start, at the end, or two in a row).'
  if (/[A-Z]/.test(part)) return 'letters must be lower-case.'
  if (/[^a-z0-9._-]/.test(part))
    return 'only a-z, 0-9, and . _ - between them are allowed, / between components.'
  return 'components begin and end with a letter or digit, with one . or _, two _, or any number of - in between.'
}
