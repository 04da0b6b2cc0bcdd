import { bytesField, fieldsOf, numberField } from './wire-format.ts'

/** A want as it is written. */
export interface WrittenWant {
  cid: Uint8Array
  priority?: number
  cancel?: boolean
  type?: 'have' | 'block'
  sendDontHave?: boolean
}

/** A message with a wantlist, without its length. */
export function wantlistMessage(wants: readonly WrittenWant[], { full = false } = {}): Uint8Array {
  const entries = wants.map(({ cid, priority = 1, cancel = false, type = 'block', sendDontHave = false }) =>
    Buffer.concat([
      bytesField(1, cid),
      numberField(2, BigInt.asUintN(64, BigInt(priority))),
      numberField(3, cancel ? 1n : 0n),
      numberField(4, type === 'have' ? 1n : 0n),
      numberField(5, sendDontHave ? 1n : 0n),
    ]),
  )
  const list = Buffer.concat([
    ...entries.map((entry) => bytesField(1, entry)),
    numberField(2, full ? 1n : 0n),
  ])
  return bytesField(1, list)
}

/** The wants in a message. */
export function* readWantlist(message: Buffer): Generator<WrittenWant, void, undefined> {
  for (const [number, list] of fieldsOf(message)) {
    if (number !== 1) continue
    for (const [kind, entry] of fieldsOf(list as Buffer)) {
      if (kind !== 1) continue
      const fields = new Map(fieldsOf(entry as Buffer))
      yield {
        cid: fields.get(1) as Buffer,
        priority: Number(fields.get(2) ?? 0n),
        cancel: fields.get(3) === 1n,
        type: fields.get(4) === 1n ? 'have' : 'block',
        sendDontHave: fields.get(5) === 1n,
      }
    }
  }
}
