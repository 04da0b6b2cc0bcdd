import { HttpClient, digestOf } from '@openregistry/testkit'
import type { Ledger } from './ledger.ts'

/**
 * Reads back everything that was acknowledged, byte for byte.
 * @returns one line for each thing that is missing or wrong.
 */
export async function verify(origin: string, ledger: Ledger): Promise<string[]> {
  using client = new HttpClient(origin)
  const losses: string[] = []
  for (const entry of ledger.blobs) await verifyContent(client, 'blobs', entry, losses)
  for (const entry of ledger.manifests) await verifyContent(client, 'manifests', entry, losses)
  for (const [name, allowed] of ledger.tags) {
    const [repository, tag] = name.split(':')
    const response = await client.send({ method: 'HEAD', path: `/v2/${repository}/manifests/${tag}` })
    const digest = response.header('docker-content-digest')
    const acknowledged = [...allowed].some((candidate) => ledger.manifests.has(`${repository} ${candidate}`))
    // A tag whose first push was never answered may be there or not.
    if (response.status === 404 && !acknowledged) continue
    if (response.status !== 200 || ![...allowed].some((candidate) => candidate === digest)) {
      losses.push(`tag ${name}: ${response.status} ${digest}, expected one of ${[...allowed].join(', ')}`)
    }
  }
  return losses
}

async function verifyContent(
  client: HttpClient,
  kind: 'blobs' | 'manifests',
  entry: string,
  losses: string[],
): Promise<void> {
  const [repository, digest] = entry.split(' ')
  const response = await client.send({ path: `/v2/${repository}/${kind}/${digest}` })
  if (response.status !== 200) losses.push(`${kind} ${entry}: ${response.status}`)
  else if (digestOf(response.body) !== digest) losses.push(`${kind} ${entry}: other bytes`)
}
