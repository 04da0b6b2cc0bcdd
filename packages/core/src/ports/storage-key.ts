import { RegistryError } from '@openregistry/oci'
import { randomHex } from './random-hex.ts'

declare const storageKey: unique symbol

/**
 * The name of one object in a backend: `<upload id>/<random>`, both 32 lower-case hex digits. Never derived from
 * content and never used twice, so that a late writer or a late delete cannot touch anyone else's bytes.
 */
export type StorageKey = string & { readonly [storageKey]: true }

declare const uploadId: unique symbol

/** An upload session: 128 random bits in lower-case hex, unguessable. */
export type UploadId = string & { readonly [uploadId]: true }

const hex32 = /^[0-9a-f]{32}$/
const keyForm = /^[0-9a-f]{32}\/[0-9a-f]{32}$/

/** A new upload id. */
export function newUploadId(): UploadId {
  return randomHex() as UploadId
}

/** The upload id that a client sent back, or null when it cannot be one of ours. */
export function parseUploadId(text: string): UploadId | null {
  return hex32.test(text) ? (text as UploadId) : null
}

/** A new key for an object of this upload; a new one at every attempt. */
export function newStorageKey(upload: UploadId): StorageKey {
  return `${upload}/${randomHex()}` as StorageKey
}

/** A storage key, or null when the text is not one: what a backend lists need not be ours. */
export function asStorageKey(text: string): StorageKey | null {
  return keyForm.test(text) ? (text as StorageKey) : null
}

/**
 * A storage key that was stored.
 * @throws RegistryError `INTERNAL` when it is not one: a key becomes a path, so nothing else may pass.
 */
export function parseStorageKey(text: string): StorageKey {
  const key = asStorageKey(text)
  if (key === null) throw new RegistryError('INTERNAL', 'Not a storage key.', { cause: text })
  return key
}

/** The upload whose session row leads to this object. */
export function uploadOf(key: StorageKey): UploadId {
  return key.slice(0, 32) as UploadId
}
