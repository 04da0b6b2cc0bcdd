import { mkdirSync, writeFileSync } from 'node:fs'
import { setImmediate as breathe } from 'node:timers/promises'
import { seedRepositories, type SeedBlob, type SeedManifest, type SeedSizes } from './contents.ts'

function write(folder: string, name: string, content: Buffer | string): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${folder}/${name}`, content)
}

function hexOf({ digest }: { digest: string }): string {
  return digest.slice(digest.indexOf(':') + 1)
}

/** Writes the files of one repository in distribution's layout (registry/storage/paths.go of version 3.1.2). */
class RepositoryFolder {
  readonly #root: string
  readonly #folder: string
  readonly #linked = new Set<string>()

  constructor(root: string, name: string) {
    this.#root = root
    this.#folder = `${root}/repositories/${name}`
  }

  addManifest(manifest: SeedManifest): void {
    for (const blob of manifest.blobs) this.#link(blob)
    this.#store(manifest)
    const manifests = `${this.#folder}/_manifests`
    write(`${manifests}/revisions/sha256/${hexOf(manifest)}`, 'link', manifest.digest)
    if (manifest.tag === null) return
    const tag = `${manifests}/tags/${manifest.tag}`
    write(`${tag}/current`, 'link', manifest.digest)
    write(`${tag}/index/sha256/${hexOf(manifest)}`, 'link', manifest.digest)
  }

  #link(blob: SeedBlob): void {
    if (this.#linked.has(blob.digest)) return
    this.#linked.add(blob.digest)
    this.#store(blob)
    write(`${this.#folder}/_layers/sha256/${hexOf(blob)}`, 'link', blob.digest)
  }

  #store(blob: SeedBlob): void {
    const hex = hexOf(blob)
    write(`${this.#root}/blobs/sha256/${hex.slice(0, 2)}/${hex}`, 'data', blob.bytes)
  }
}

/** Fills the empty storage folder of a distribution that is not running. */
export async function seedDistribution(storage: string, sizes: SeedSizes): Promise<void> {
  for (const { name, manifests } of seedRepositories(sizes)) {
    const folder = new RepositoryFolder(`${storage}/docker/registry/v2`, name)
    for (const manifest of manifests()) folder.addManifest(manifest)
    await breathe()
  }
}
