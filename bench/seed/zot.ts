import { mkdirSync, writeFileSync } from 'node:fs'
import { setImmediate as breathe } from 'node:timers/promises'
import { seedRepositories, type SeedBlob, type SeedManifest, type SeedSizes } from './contents.ts'

function entryOf({ mediaType, digest, bytes, artifactType, tag }: SeedManifest): object {
  return {
    mediaType,
    digest,
    size: bytes.length,
    ...(artifactType === null ? {} : { artifactType }),
    ...(tag === null ? {} : { annotations: { 'org.opencontainers.image.ref.name': tag } }),
  }
}

/** Fills the empty storage folder of a zot that is not running: each repository is an OCI image layout. */
export async function seedZot(storage: string, sizes: SeedSizes): Promise<void> {
  for (const { name, manifests } of seedRepositories(sizes)) {
    const folder = `${storage}/${name}`
    const blobs = `${folder}/blobs/sha256`
    mkdirSync(blobs, { recursive: true })
    const stored = new Set<string>()
    const store = ({ digest, bytes }: SeedBlob): void => {
      if (stored.has(digest)) return
      stored.add(digest)
      writeFileSync(`${blobs}/${digest.slice(digest.indexOf(':') + 1)}`, bytes)
    }
    const entries: object[] = []
    for (const manifest of manifests()) {
      for (const blob of manifest.blobs) store(blob)
      store(manifest)
      entries.push(entryOf(manifest))
    }
    writeFileSync(`${folder}/oci-layout`, JSON.stringify({ imageLayoutVersion: '1.0.0' }))
    writeFileSync(`${folder}/index.json`, JSON.stringify({ schemaVersion: 2, manifests: entries }))
    await breathe()
  }
}
