import type { TableShape } from './tables.ts'

/** A value as either database gives it: booleans are numbers in SQLite. */
export type Value = string | number | boolean | null | Uint8Array

/** A row, in the order of the columns. */
export type RowValues = readonly Value[]

/** Bounds of what is copied or compared at once. */
export const batchLimits = { rows: 1000, bytes: 4 * 1024 * 1024 }

/** What a row takes beside its texts and bytes, in bytes. */
export const leastWeight = 64

/** Roughly how much memory a row takes, in bytes. */
export function weightOf(row: RowValues): number {
  let weight = leastWeight
  for (const value of row) {
    if (typeof value === 'string' || value instanceof Uint8Array) weight += value.length
  }
  return weight
}

/** Text that is the same for the same row, whichever database it came from. */
export function canonical(row: RowValues): string {
  return JSON.stringify(row.map(encodeValue))
}

/** The values of the key of a row. */
export function keyOf({ columns, key }: TableShape, row: RowValues): Value[] {
  return key.map((name) => row[columns.indexOf(name)] ?? null)
}

/** A key as text, to go on from later. */
export function writeKey(key: readonly Value[]): string {
  return JSON.stringify(key.map(encodeValue))
}

/** Reads what {@link writeKey} wrote. */
export function readKey(text: string): Value[] {
  return (JSON.parse(text) as (string | number | null | { hex: string })[]).map((value) =>
    typeof value === 'object' && value !== null ? Uint8Array.fromHex(value.hex) : value,
  )
}

function encodeValue(value: Value): unknown {
  if (value instanceof Uint8Array) return { hex: value.toHex() }
  return typeof value === 'boolean' ? Number(value) : value
}
