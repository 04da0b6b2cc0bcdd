import { RegistryError } from './errors.ts'

/**
 * Says what is wrong with a manifest, and where.
 * @param path of the member inside the document, for example `layers[2].digest`; empty for the document itself.
 */
export function manifestInvalid(path: string, problem: string, cause?: unknown): RegistryError {
  const message =
    path === '' ? `The manifest ${problem}` : `The manifest is invalid at ${path}: it ${problem}`
  return new RegistryError('MANIFEST_INVALID', message, {
    ...(path === '' ? {} : { detail: { path } }),
    ...(cause === undefined ? {} : { cause }),
  })
}

/** The path of a member of `parent`. Names from a client are quoted and cut: they may be of any length. */
export function memberPath(parent: string, name: string): string {
  if (!/^\w{1,64}$/.test(name)) return `${parent}[${JSON.stringify(name.slice(0, 64))}]`
  return parent === '' ? name : `${parent}.${name}`
}
