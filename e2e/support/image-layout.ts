import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { greet, makeRootfs } from './rootfs.ts'
import type { Scratch } from './scratch.ts'

/** An OCI image layout in a folder, with one image under the tag `1`. */
export interface ImageLayout {
  folder: string
  /** Digest of what the tag names. */
  digest: string
}

interface Descriptor {
  mediaType: string
  digest: string
  size: number
  platform?: { architecture: string; os: string }
  annotations?: Record<string, string>
}

/** Architectures of an image that is an index. */
export const twoPlatforms = ['amd64', 'arm64'] as const

const indexType = 'application/vnd.oci.image.index.v1+json'
const manifestType = 'application/vnd.oci.image.manifest.v1+json'
const configType = 'application/vnd.oci.image.config.v1+json'
const layerType = 'application/vnd.oci.image.layer.v1.tar+gzip'

/**
 * Writes an image layout into a folder of that name: an image for each architecture, and with more than one an index over them. The images print
 * `<name> for <architecture>`.
 */
export async function makeLayout(
  scratch: Scratch,
  name: string,
  architectures: readonly string[] = ['amd64'],
): Promise<ImageLayout> {
  const writer = new LayoutWriter(scratch, name)
  const images: Descriptor[] = []
  for (const architecture of architectures) {
    images.push(await writer.image(architecture, `${name} for ${architecture}`))
  }
  const [first] = images
  const root =
    images.length === 1 && first !== undefined
      ? first
      : writer.json(indexType, { schemaVersion: 2, mediaType: indexType, manifests: images })
  const tagged = { ...root, annotations: { 'org.opencontainers.image.ref.name': '1' } }
  writer.file('oci-layout', JSON.stringify({ imageLayoutVersion: '1.0.0' }))
  writer.file('index.json', JSON.stringify({ schemaVersion: 2, manifests: [tagged] }))
  return { folder: join(scratch.path, name), digest: root.digest }
}

class LayoutWriter {
  readonly #scratch: Scratch
  readonly #folder: string

  constructor(scratch: Scratch, folder: string) {
    this.#scratch = scratch
    this.#folder = folder
  }

  file(name: string, content: string | Buffer): void {
    this.#scratch.file(join(this.#folder, name), content)
  }

  json(mediaType: string, value: object): Descriptor {
    return this.#blob(mediaType, Buffer.from(JSON.stringify(value)))
  }

  async image(architecture: string, words: string): Promise<Descriptor> {
    const tar = readFileSync(await makeRootfs(this.#scratch, words))
    const layer = this.#blob(layerType, gzipSync(tar))
    const config = this.json(configType, {
      ...{ architecture, os: 'linux', config: { Cmd: greet } },
      rootfs: { type: 'layers', diff_ids: [digestOf(tar)] },
    })
    const manifest = { schemaVersion: 2, mediaType: manifestType, config, layers: [layer] }
    return { ...this.json(manifestType, manifest), platform: { architecture, os: 'linux' } }
  }

  #blob(mediaType: string, bytes: Buffer): Descriptor {
    const digest = digestOf(bytes)
    this.file(join('blobs', digest.replace(':', '/')), bytes)
    return { mediaType, digest, size: bytes.length }
  }
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}
