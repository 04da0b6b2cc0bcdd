/**
 * A copy of a step's input that can be given to another thread: a view of a larger buffer would take all of that buffer
 * along, a view of shared memory could change on the way.
 * @param transfer is filled with the buffers that only the copy has.
 */
export function ownBytes(value: unknown, transfer: ArrayBuffer[]): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return ownView(value, transfer)
  if (Array.isArray(value)) return value.map((item) => ownBytes(item, transfer))
  const copy: Record<string, unknown> = {}
  for (const key in value) copy[key] = ownBytes((value as Record<string, unknown>)[key], transfer)
  return copy
}

function ownView(view: Uint8Array, transfer: ArrayBuffer[]): Uint8Array {
  const copy = Uint8Array.from(view)
  transfer.push(copy.buffer)
  return copy
}

/** Roughly how many bytes buffers and a message around them take. */
export function weightOf(transfer: readonly ArrayBuffer[]): number {
  let weight = 512
  for (const buffer of transfer) weight += buffer.byteLength
  return weight
}
