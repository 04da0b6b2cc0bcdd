import { base16, base16upper } from 'multiformats/bases/base16'
import { base32, base32upper } from 'multiformats/bases/base32'
import { base36, base36upper } from 'multiformats/bases/base36'
import { base58btc } from 'multiformats/bases/base58'
import { base64url } from 'multiformats/bases/base64'
import { CID } from 'multiformats/cid'

declare const cid: unique symbol

/** A content identifier that was checked: version 1 in lower-case base32, the form in which it is stored and shown. */
export type Cid = string & { readonly [cid]: true }

/** The text is no CID that this package reads. */
export class CidError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CidError'
  }
}

/** Codes of the multicodec table. */
export const rawCodec = 0x55
export const dagPbCodec = 0x70
export const sha256Code = 0x12

/** What any of the bases is made of, without padding, and far longer than any hash in use needs. */
const form = /^[0-9A-Za-z_-]{1,512}$/

/** The bases that a path can hold and that CIDs are written in; base32 is the one of this project. */
const decoders = base32.decoder
  .or(base36.decoder)
  .or(base58btc.decoder)
  .or(base16.decoder)
  .or(base64url.decoder)
  .or(base32upper.decoder)
  .or(base36upper.decoder)
  .or(base16upper.decoder)

/**
 * A CID as somebody wrote it: version 0, or version 1 in base16, base32, base36 (in either case), base58btc or base64url,
 * of any codec and hash. Equal ones come out equal.
 * @throws CidError when it is none of these.
 */
export function parseCid(text: string): Cid {
  if (!form.test(text)) throw new CidError('Not a CID: expected letters, digits, - and _, at most 512.')
  try {
    return CID.parse(text, decoders).toV1().toString(base32) as Cid
  } catch (cause) {
    throw new CidError('Not a CID.', { cause })
  }
}

/** The CID of a block of bytes as they are, by its SHA-256 (32 bytes). */
export function rawCid(sha256: Uint8Array): Cid {
  return format(rawCodec, sha256)
}

/** The CID of a dag-pb node, by the SHA-256 (32 bytes) of its encoded form. */
export function dagPbCid(sha256: Uint8Array): Cid {
  return format(dagPbCodec, sha256)
}

/** The CID of no bytes at all. */
export const emptyCid = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku' as Cid

function format(codec: number, sha256: Uint8Array): Cid {
  if (sha256.length !== 32) throw new RangeError(`A SHA-256 has 32 bytes, not ${sha256.length}.`)
  const bytes = new Uint8Array(36)
  bytes.set([1, codec, sha256Code, 32])
  bytes.set(sha256, 4)
  return `b${base32Of(bytes)}` as Cid
}

/** Lower-case base32 without padding (RFC 4648, 6). The library's way takes ten times as long, and this is done for answers. */
function base32Of(bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let rest = 0
  for (const byte of bytes) {
    rest = (rest << 8) | byte
    for (bits += 8; bits >= 5; bits -= 5) text += alphabet[(rest >> (bits - 5)) & 31]
    rest &= 31
  }
  return bits === 0 ? text : text + alphabet[(rest << (5 - bits)) & 31]
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'
