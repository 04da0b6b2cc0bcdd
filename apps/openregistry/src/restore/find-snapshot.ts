import { stat } from 'node:fs/promises'
import { CidError, IpnsError, parseCid, parseIpnsName, verifyIpnsRecord, type Cid } from '@openregistry/dag'
import type { NamedSource } from '@openregistry/ipfs'
import { CommandError, exitCodes } from '../exit-codes.ts'
import type { TrustedKey } from './trusted-key.ts'

/** How somebody has named a snapshot. */
export type SnapshotAddress =
  { kind: 'file'; path: string } | { kind: 'cid'; cid: Cid } | { kind: 'name'; name: string }

/**
 * Reads it: a file that is there, else a CID or a name, with `/ipfs/` or `/ipns/` before it or without.
 * @throws CommandError when it is none of them.
 */
export async function parseSnapshotAddress(text: string): Promise<SnapshotAddress> {
  if ((await stat(text).catch(() => null))?.isFile() === true) return { kind: 'file', path: text }
  const [, space, rest = ''] = /^(?:\/(ipfs|ipns)\/)?([0-9A-Za-z_-]+)\/?$/.exec(text) ?? []
  try {
    if (space !== 'ipfs' && parseIpnsName(rest) !== null) return { kind: 'name', name: rest }
  } catch (error) {
    if (!(error instanceof IpnsError)) throw error
  }
  try {
    if (space !== 'ipns') return { kind: 'cid', cid: parseCid(rest) }
  } catch (error) {
    if (!(error instanceof CidError)) throw error
  }
  throw new CommandError(`${text} is no file that is there, no CID, and no name in IPNS.`, {
    exitCode: exitCodes.usage,
  })
}

/**
 * The CID to which a name leads, by the newest record that can be believed.
 * @throws CommandError when nobody has one.
 */
export async function resolveName(
  name: string,
  sources: readonly NamedSource[],
  { publicKey, verify }: TrustedKey,
): Promise<Cid> {
  const reasons: string[] = []
  let newest: { cid: Cid; sequence: number } | null = null
  for (const provider of sources) {
    try {
      const record = await provider.record(name)
      if (record === null) {
        reasons.push(`${provider.name} does not know it`)
        continue
      }
      const { value, sequence } = await verifyIpnsRecord(record, { publicKey, now: Date.now(), verify })
      const cid = parseCid(/^\/ipfs\/([0-9A-Za-z]+)\/?$/.exec(value)?.[1] ?? '')
      if (newest === null || sequence > newest.sequence) newest = { cid, sequence }
    } catch (error) {
      reasons.push(`${provider.name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  if (newest !== null) return newest.cid
  if (sources.length === 0) reasons.push('there is nobody to ask; name somebody with --from or --kubo')
  throw new CommandError(`nobody leads from the name ${name} to a snapshot: ${reasons.join('; ')}.`)
}
