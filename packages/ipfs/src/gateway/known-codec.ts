import { dagPbCodec, rawCodec } from '@openregistry/dag'

/** Codecs whose blocks have no links, by the multicodec table: raw, cbor, json. */
const withoutLinks: ReadonlySet<number> = new Set([rawCodec, 0x51, 0x0200])

/** What can be known of the links of a block: it has none, they can be read, or nobody here can read them. */
export function linksOf(codec: number): 'none' | 'dag-pb' | 'unreadable' {
  if (withoutLinks.has(codec)) return 'none'
  return codec === dagPbCodec ? 'dag-pb' : 'unreadable'
}
