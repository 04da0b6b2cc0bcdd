import type { RepositoryModel } from '../model/repository-model.ts'
import { tick } from '../model/tick.ts'
import type { Client } from './client.ts'
import type { KnownBlob } from './contents.ts'
import { mountBlob } from './mount-blob.ts'
import { Upload } from './upload.ts'

/**
 * Pushes a blob by any of the ways that there are.
 * @returns whether it was acknowledged.
 */
export async function pushBlob(
  client: Client,
  repository: RepositoryModel,
  blob: KnownBlob,
): Promise<boolean> {
  const { length } = blob.bytes
  // A single byte cannot be told from none by the Range header, so there is nothing to cut.
  const way = length < 4 ? client.random.pick([whole, atOnce]) : client.random.pick(ways)
  return (await way(client, repository, blob)) === true
}

/** A blob that is surely in the repository: pushed, mounted, or there already. */
export async function ensureBlob(
  client: Client,
  repository: RepositoryModel,
  blob: KnownBlob,
): Promise<boolean> {
  const now = { from: tick(), until: tick() }
  if (!repository.link(blob.digest).mayBeGone(now, repository.isNeeded(blob.digest, now))) return true
  if (client.oneIn(3) && (await mountBlob(client, repository, blob))) return true
  return pushBlob(client, repository, blob)
}

type Way = (client: Client, repository: RepositoryModel, blob: KnownBlob) => Promise<boolean | null>

/** One POST with everything. */
const whole: Way = async (client, repository, { bytes, digest, cid }) => {
  const start = tick()
  const change = repository.linkBlob(digest)
  const path = `/v2/${repository.name}/blobs/uploads/?digest=${digest}`
  const answer = await client.call({ method: 'POST', path, body: bytes })
  if (answer === null) return null
  if (answer.status === 201) {
    client.acknowledge(change, answer)
    if (answer.header('openregistry-cid') !== cid) client.violation(`the CID of ${digest} is wrong`, answer)
    return true
  }
  change.refused()
  const deleted = answer.status === 404 && repository.mayBeDeletedSince(start)
  if (!deleted) client.violation(`a push of ${digest} to ${repository.name} was refused`, answer)
  return false
}

/** POST, then PUT with everything. */
const atOnce: Way = async (client, repository, blob) => {
  const upload = await Upload.begin(client, repository, blob)
  return upload === null ? null : upload.finish()
}

/** Chunk after chunk; the last one in a PATCH or in the PUT. */
const inChunks: Way = async (client, repository, blob) => {
  const upload = await Upload.begin(client, repository, blob)
  if (upload === null) return null
  const { length } = blob.bytes
  const ends = cuts(client, length)
  if (client.oneIn(2)) ends.push(length)
  for (const end of ends) if (!(await upload.sendTo(end))) return false
  return upload.finish()
}

/** In chunks, by a client that makes mistakes and has bad luck. */
const withTrouble: Way = async (client, repository, blob) => {
  const upload = await Upload.begin(client, repository, blob)
  if (upload === null) return null
  for (const end of [...cuts(client, blob.bytes.length), blob.bytes.length]) {
    if (end <= upload.offset) continue
    const trouble = client.random.pick(['elsewhere', 'race', 'race', 'interrupt', 'none'])
    if (trouble === 'elsewhere') await upload.sendElsewhere()
    if (trouble === 'race') await upload.race(end)
    if (trouble === 'interrupt') await upload.interrupt(end)
    if (!(await upload.sendTo(end))) return false
  }
  return upload.finish()
}

/** In chunks, by a client that does not know that it has sent all. */
const beyondTheEnd: Way = async (client, repository, blob) => {
  const upload = await Upload.begin(client, repository, blob)
  if (upload === null) return null
  const { length } = blob.bytes
  for (const end of [...cuts(client, length), length]) if (!(await upload.sendTo(end))) return false
  return upload.raceEnd()
}

const ways: readonly [Way, ...Way[]] = [
  whole,
  atOnce,
  inChunks,
  inChunks,
  withTrouble,
  withTrouble,
  beyondTheEnd,
]

/** Where to cut, in order; the end is not among them. */
function cuts(client: Client, length: number): number[] {
  const count = client.random.integer(1, 3)
  const places = Array.from({ length: count }, () => client.random.integer(2, length - 1))
  return [...new Set(places)].sort((a, b) => a - b)
}

/** An upload that comes to nothing: cancelled, or closed under a digest that its content does not have. */
export async function pushInVain(
  client: Client,
  repository: RepositoryModel,
  blob: KnownBlob,
): Promise<void> {
  const upload = await Upload.begin(client, repository, blob)
  if (upload === null) return
  const { length } = blob.bytes
  if (length > 4 && !(await upload.sendTo(client.random.integer(2, length)))) return
  if (length < 4 || client.oneIn(2)) await upload.cancel()
  else await upload.finishWrongly(`sha256:${client.random.bytes(32).toString('hex')}`)
}
