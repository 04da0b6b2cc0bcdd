import type { Client } from './client.ts'
import { deleteBlob, deleteManifest, deleteRepository, deleteTag } from './deletions.ts'
import { keepReferrer } from './keep-referrer.ts'
import { listReferrers, listRepositories, listTags } from './lists.ts'
import { mountBlob } from './mount-blob.ts'
import { pushBlob, pushInVain } from './push-blob.ts'
import { pushAgain, pushImage, pushIndex, someManifest, someTag } from './push-manifest.ts'
import { headBlob, pullBlob, pullManifest, pullRange, pullTag } from './reads.ts'
import { restoreManifest } from './restore.ts'

type Operation = (client: Client) => Promise<unknown>

/** What clients do, and how often beside each other. */
const operations: readonly [number, Operation][] = [
  [24, (client) => pushImage(client, client.repository())],
  [10, (client) => pushBlob(client, client.repository(), client.blob())],
  [6, (client) => mountBlob(client, client.repository(), client.blob())],
  [4, (client) => pushInVain(client, client.repository(), client.blob())],
  [5, (client) => pushIndex(client, client.repository())],
  [10, (client) => pushAgain(client, client.repository())],
  [8, (client) => keepReferrer(client, client.repository())],
  [4, (client) => deleteTag(client, client.repository())],
  [4, (client) => deleteManifest(client, client.repository())],
  [4, (client) => deleteBlob(client, client.repository())],
  [5, (client) => restoreManifest(client, client.repository())],
  [1, (client) => deleteRepository(client, client.repository())],
  [8, (client) => pullBlob(client, client.repository(), client.blob())],
  [3, (client) => pullRange(client, client.repository(), client.blob())],
  [6, (client) => headBlob(client, client.repository(), client.blob())],
  [10, (client) => pullTag(client, client.repository(), someTag(client))],
  [6, pullSomeManifest],
  [4, (client) => listTags(client, client.repository())],
  [4, listSomeReferrers],
  [1, listRepositories],
]

const total = operations.reduce((sum, [weight]) => sum + weight, 0)

/** Lets a client do so many things, one after the other, as long as nothing was found. */
export async function work(client: Client, count: number, done: () => void): Promise<void> {
  for (let left = count; left > 0 && !client.world.report.failed; left--) {
    await choose(client)(client)
    done()
  }
}

function choose(client: Client): Operation {
  let place = client.random.integer(0, total - 1)
  for (const [weight, operation] of operations) {
    if (place < weight) return operation
    place -= weight
  }
  return listRepositories
}

async function pullSomeManifest(client: Client): Promise<void> {
  const repository = client.repository()
  const manifest = someManifest(client, repository)
  if (manifest !== null) await pullManifest(client, repository, manifest.digest)
}

async function listSomeReferrers(client: Client): Promise<void> {
  const repository = client.repository()
  const manifest = someManifest(client, repository)
  if (manifest !== null) await listReferrers(client, repository, manifest.digest)
}
