import type { CustomTypesConfig } from 'pg'

/** Object ids of PostgreSQL's own types (`pg_type.dat`); they never change. */
const oids = { bool: 16, bytea: 17, int8: 20, int2: 21, int4: 23 }

function safeInteger(text: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number))
    throw new RangeError(`${text} is no integer that a number can hold exactly.`)
  return number
}

/** `bytea_output = hex`, which every connection is opened with: `\x` and two digits a byte. */
function bytes(text: string): Uint8Array {
  return Uint8Array.fromHex(text.slice(2))
}

const parsers = new Map<number, (text: string) => unknown>([
  [oids.bool, (text) => text === 't'],
  [oids.bytea, bytes],
  [oids.int8, safeInteger],
  [oids.int2, Number],
  [oids.int4, Number],
])

/** How values arrive: as the rows of the operations name them, the same as from SQLite but for booleans. */
export const valueTypes: CustomTypesConfig = {
  getTypeParser: ((oid: number) => parsers.get(oid) ?? String) as CustomTypesConfig['getTypeParser'],
}
