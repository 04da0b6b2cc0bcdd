import { writer } from 'protons-runtime'
import { fields } from '../bitswap/fields.ts'

/** A peer as messages name it. */
export interface DhtPeer {
  /** Its peer ID: a multihash. */
  readonly id: Uint8Array
  /** Multiaddrs at which it may be reached. */
  readonly addresses: readonly Uint8Array[]
}

/** Numbers of fields and of kinds of messages (libp2p, "kad-dht", "RPC messages"). */
const messageField = { type: 1, key: 2, closer: 8, providers: 9 } as const
const peerField = { id: 1, addresses: 2 } as const
const messageType = { addProvider: 2, findNode: 4 } as const

/** How tags of fields end that bytes, or a number, follow. */
const [bytesFollow, numberFollows] = [2, 0]

/** Bytes of the longest peer ID and of the longest address that are read; what is longer is no such thing. */
const longest = { id: 64, address: 256 }

/** Addresses of one peer that are read. */
const addressesAtMost = 16

/** Asks for peers that are closer to a key. All messages have their length in front, as they go over a stream. */
export function findNodeMessage(key: Uint8Array): Uint8Array {
  return begin(messageType.findNode, key).ldelim().finish()
}

/** Says that a peer has what has this key: the sender, since everybody speaks for himself alone. */
export function addProviderMessage(key: Uint8Array, { id, addresses }: DhtPeer): Uint8Array {
  const message = begin(messageType.addProvider, key)
  message.uint32((messageField.providers << 3) | bytesFollow).fork()
  message.uint32((peerField.id << 3) | bytesFollow).bytes(id)
  for (const address of addresses) message.uint32((peerField.addresses << 3) | bytesFollow).bytes(address)
  return message.ldelim().ldelim().finish()
}

function begin(type: number, key: Uint8Array): ReturnType<typeof writer> {
  const message = writer()
    .fork()
    .uint32((messageField.type << 3) | numberFollows)
    .uint32(type)
  return message.uint32((messageField.key << 3) | bytesFollow).bytes(key)
}

/**
 * The peers that an answer names as closer, the first ones of many. What is no peer is passed over.
 * @throws BitswapError when the bytes are no message.
 */
export function readCloserPeers(message: Uint8Array, limit: number): DhtPeer[] {
  const peers: DhtPeer[] = []
  for (const { number, bytes } of fields(message)) {
    if (number !== messageField.closer || bytes === null) continue
    const peer = readPeer(bytes)
    if (peer !== null) peers.push(peer)
    if (peers.length === limit) break
  }
  return peers
}

function readPeer(message: Uint8Array): DhtPeer | null {
  let id: Uint8Array | null = null
  const addresses: Uint8Array[] = []
  for (const { number, bytes } of fields(message)) {
    if (bytes === null) continue
    // Views would keep the whole message for as long as the peer is remembered.
    if (number === peerField.id && bytes.length <= longest.id) id = new Uint8Array(bytes)
    const isAddress = number === peerField.addresses && bytes.length <= longest.address
    if (isAddress && addresses.length < addressesAtMost) addresses.push(new Uint8Array(bytes))
  }
  return id === null ? null : { id, addresses }
}
