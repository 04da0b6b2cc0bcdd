import type { RepositoryModel } from '../model/repository-model.ts'
import type { Client } from './client.ts'
import { deleteThis } from './deletions.ts'
import { pushReferrer, putManifest, someManifest } from './push-manifest.ts'

/**
 * Deletes a manifest that another one refers to, and at once asks for that: just when a collection is about to take it, if
 * there is no time of grace.
 */
export async function keepReferrer(client: Client, repository: RepositoryModel): Promise<void> {
  const subject = someManifest(client, repository)
  if (subject === null) return
  await putManifest(client, repository, subject)
  const referrer = await pushReferrer(client, repository, subject)
  await deleteThis(client, repository, subject)
  await putManifest(client, repository, referrer)
}
