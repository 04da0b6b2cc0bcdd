import {
  descriptorOf,
  imageIndex,
  randomArtifact,
  randomImage,
  type Content,
  type HttpClient,
} from '@openregistry/testkit'
import { expect } from 'vitest'
import type { LocalRegistry } from '../adversarial/local-registry.ts'
import { Repository } from '../conformance/repository.ts'

/** What a repository can be to somebody who asks. */
export type State = 'public' | 'private' | 'missing'

/** Everything that a request can be about. In a missing repository nothing of it is there. */
export interface Fixture {
  name: string
  manifest: Content
  blob: Content
  referrer: Content
  /** The id of a session; of nobody where the repository is missing. */
  upload: string
  /** Another repository, private, and a blob that only it has. */
  source: { name: string; blob: Content }
}

/** Content for a repository of this name; nothing is pushed. */
export function plan(
  registry: LocalRegistry,
  name: string,
): Fixture & { push: (owner: HttpClient) => Promise<void> } {
  const { random } = registry
  const image = randomImage(random)
  const artifact = randomArtifact(random, { artifactType: 'a/b', subject: descriptorOf(image.manifest) })
  const blob = image.blobs[1] ?? image.manifest
  return {
    ...{ name, blob, manifest: image.manifest, referrer: artifact.manifest, upload: '0'.repeat(32) },
    source: { name: `source/${random.word(12)}`, blob: randomImage(random).manifest },
    async push(owner) {
      const repository = new Repository(owner, name)
      await repository.pushImage(image, 'v1')
      await repository.pushImage(artifact)
    },
  }
}

/**
 * A repository in a state, made by `owner`.
 * @param uploader who has opened the session in it; `owner` where that is nobody who may
 */
export async function fixture(
  registry: LocalRegistry,
  state: State,
  owner: HttpClient,
  uploader: HttpClient = owner,
): Promise<Fixture> {
  const planned = plan(registry, `access/${registry.random.word(16)}`)
  const source = new Repository(owner, planned.source.name)
  await source.pushBlob(planned.source.blob)
  await setVisibility(owner, source.name, 'private')
  if (state === 'missing') return planned
  await planned.push(owner)
  await setVisibility(owner, planned.name, state)
  const session = await new Repository(uploader, planned.name).openUpload()
  return { ...planned, upload: session.location.split('/').at(-1) ?? '' }
}

/** Makes a repository public or private. It has to succeed. */
export async function setVisibility(
  owner: HttpClient,
  name: string,
  visibility: 'public' | 'private',
): Promise<void> {
  const response = await owner.send({
    method: 'PATCH',
    path: `/api/v1/repositories/${encodeURIComponent(name)}`,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ visibility }),
  })
  expect(response.status, response.text()).toBe(200)
}

/** A manifest that needs nothing, so that it can be pushed anywhere. */
export const emptyIndex: Content = imageIndex({ manifests: [] })
