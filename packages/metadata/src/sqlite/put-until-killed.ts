/*
 * A process for `durability.test.ts`: puts manifests, many at once, and prints the digest of each as soon as it is
 * acknowledged, until it is killed.
 */
import { createHash } from 'node:crypto'
import type { PutManifest } from '@openregistry/core'
import { rawCid } from '@openregistry/dag'
import { formatDigest, mediaTypes, parseRepositoryName, type Tag } from '@openregistry/oci'
import { openSqliteMetadataStore } from './open.ts'

const [file = '', run = ''] = process.argv.slice(2)
const repository = parseRepositoryName('killed/again')
const store = await openSqliteMetadataStore({ file, autoMigrate: true })

function manifest(text: string): PutManifest {
  const bytes = new TextEncoder().encode(text)
  const sha256 = Uint8Array.from(createHash('sha256').update(bytes).digest())
  const digest = formatDigest('sha256', sha256)
  return {
    repository,
    defaultVisibility: 'private',
    principal: 'user:ada',
    digest,
    sha256: digest,
    sha512: null,
    cid: rawCid(sha256),
    bytes,
    mediaType: mediaTypes.ociManifest,
    artifactType: null,
    subject: null,
    annotations: null,
    references: [],
    rules: { backends: ['disk'], public: [], namespaces: {}, replicas: [] },
    tags: [`t-${text.replaceAll(' ', '-')}` as Tag],
  }
}

async function put(lane: number): Promise<void> {
  for (let n = 0; ; n++) {
    const wanted = manifest(`${run} ${lane} ${n}`)
    await store.putManifest(wanted)
    process.stdout.write(`${wanted.tags[0]} ${wanted.digest}\n`)
  }
}

await Promise.all(Array.from({ length: 8 }, (_, lane) => put(lane)))
