import type { Digest } from '@openregistry/oci'
import type { Client } from '../clients/client.ts'
import { listReferrers, listRepositories, listTags } from '../clients/lists.ts'
import { pullBlob, pullManifest, pullTag } from '../clients/reads.ts'
import type { RepositoryModel } from '../model/repository-model.ts'
import type { Deployment } from '../under-test/deployment.ts'

/**
 * Reads everything that the model knows while nothing else goes on, byte for byte, and leaves no "maybe" behind: what is
 * there now must stay, and what is not must not come back.
 * @param client one that is alone.
 */
export async function verify(client: Client, deployment: Deployment): Promise<void> {
  await deployment.database.quiet()
  client.world.model.settle()
  const jobs = [...client.world.model.repositories.values()].flatMap((repository) =>
    jobsOf(client, repository),
  )
  const worker = async (): Promise<void> => {
    for (let job = jobs.pop(); job !== undefined && !client.world.report.failed; job = jobs.pop()) await job()
  }
  await Promise.all(Array.from({ length: 8 }, worker))
  await listRepositories(client)
}

function jobsOf(client: Client, repository: RepositoryModel): (() => Promise<void>)[] {
  const subjects = new Set<Digest>()
  for (const { content } of repository.manifests.values())
    if (content.subject !== null) subjects.add(content.subject)
  const blobs = client.world.blobs.filter(({ digest }) => repository.links.has(digest))
  return [
    () => listTags(client, repository),
    ...[...repository.tags.keys()].map((tag) => () => pullTag(client, repository, tag)),
    ...[...repository.manifests.keys()].map((digest) => () => pullManifest(client, repository, digest)),
    ...blobs.map((blob) => () => pullBlob(client, repository, blob)),
    ...[...subjects].map((subject) => () => listReferrers(client, repository, subject)),
  ]
}
