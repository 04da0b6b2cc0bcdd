import { isIP } from 'node:net'
import { isPeerId } from '@openregistry/dag'
import { ValueMismatch, type ValueType } from './value-type.ts'

const form =
  /^\/(?:(ip4|ip6|dns[46]?)\/([^/]+)\/tcp\/(\d{1,5})|dnsaddr\/([^/]+))\/p2p\/([1-9A-HJ-NP-Za-km-z]+)$/
const hostName = /^[A-Za-z0-9.-]{1,253}$/

/** Where a node of IPFS is, and who it is: a multiaddr of TCP, or of a name in DNS that knows more (`/dnsaddr`). */
export function peerAddress(): ValueType<string> {
  return {
    expected: 'the address of a node, such as /dns/ipfs.example.org/tcp/4001/p2p/12D3KooW…',
    parse(value) {
      const [, kind = 'dnsaddr', host, digits = '1', name, peer] = form.exec(value) ?? []
      const port = Number(digits)
      const isThere = isHost(kind, host ?? name ?? '') && port >= 1 && port <= 65_535
      if (!isThere || !isPeerId(peer ?? '')) throw new ValueMismatch()
      return value
    },
    print: (value) => value,
  }
}

function isHost(kind: string, host: string): boolean {
  return kind.startsWith('ip') ? isIP(host) === Number(kind.slice(2)) : hostName.test(host)
}
