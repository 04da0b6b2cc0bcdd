import { integer, type ValueType } from './value-type.ts'

/** A number of processes, or `auto`. */
export function workers(): ValueType<number | 'auto'> {
  const count = integer(1, 1024)
  return {
    expected: `auto or ${count.expected}`,
    parse(value, context) {
      return value === 'auto' ? 'auto' : count.parse(value, context)
    },
    print: String,
  }
}
