import { namespaceOf, parseRepositoryName, RegistryError } from '@openregistry/oci'
import { ValueMismatch, type ValueType } from './value-type.ts'

/** The first component of repository names. */
export function namespace(): ValueType<string> {
  return {
    expected: 'a namespace',
    parse(value) {
      try {
        if (namespaceOf(parseRepositoryName(value)) === value) return value
      } catch (error) {
        if (!(error instanceof RegistryError)) throw error
      }
      throw new ValueMismatch(
        'a namespace, which is the first component of a repository name, such as "acme"',
      )
    },
    print: (value) => value,
  }
}
