/** Bytes of a skylink: 16 bits that describe it, and the root of the sector that it leads to. */
export const skylinkSize = 34

/** The text of a skylink: its bytes in base64url without padding. */
const textForm = /^[A-Za-z0-9_-]{46}$/

/** What content is found by on Skynet; a hash of the content and of its name. */
export type Skylink = string & { readonly skylink: unique symbol }

/** A skylink from text, or null when it is none. */
export function asSkylink(text: unknown): Skylink | null {
  return typeof text === 'string' && textForm.test(text) ? (text as Skylink) : null
}

/** A skylink from its bytes. */
export function skylinkOf(bytes: Uint8Array): Skylink {
  return Buffer.from(bytes).toString('base64url') as Skylink
}

/** Its bytes. */
export function skylinkBytes(skylink: Skylink): Uint8Array {
  return Buffer.from(skylink, 'base64url')
}
