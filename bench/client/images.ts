import { randomUUID } from 'node:crypto'
import { blobOf, prepareBlob, type PreparedBlob } from '../content.ts'
import { configMediaType, layerMediaType, manifestMediaType } from './registry-calls.ts'

/** An image of which everything is known before the clock starts. */
export interface PreparedImage {
  /** Config first, then layers. */
  blobs: readonly PreparedBlob[]
  manifest: PreparedBlob
}

function descriptor(mediaType: string, { digest, size }: PreparedBlob): object {
  return { mediaType, digest, size }
}

/** A manifest over blobs; `name` makes it unlike any other. */
export function manifestOf(
  config: PreparedBlob,
  layers: readonly PreparedBlob[],
  name: string,
): PreparedBlob {
  const manifest = {
    schemaVersion: 2,
    mediaType: manifestMediaType,
    config: descriptor(configMediaType, config),
    layers: layers.map((layer) => descriptor(layerMediaType, layer)),
    annotations: { 'org.opencontainers.image.title': name },
  }
  return blobOf(Buffer.from(JSON.stringify(manifest)))
}

/** A small, well-formed image config that no other name has. */
export function configOf(name: string): PreparedBlob {
  const config = {
    architecture: 'amd64',
    os: 'linux',
    config: { Labels: { name } },
    rootfs: { type: 'layers', diff_ids: [] },
  }
  return blobOf(Buffer.from(JSON.stringify(config)))
}

/** So that no two processes make the same image. */
const ofThisProcess = randomUUID()

/** An image of layers that nobody else has. */
export function prepareImage(seed: number, layers: number, layerSize: number): PreparedImage {
  const config = configOf(`image-${seed} ${ofThisProcess}`)
  const contents = Array.from({ length: layers }, (_, layer) => prepareBlob(seed * 100 + layer, layerSize))
  return { blobs: [config, ...contents], manifest: manifestOf(config, contents, `image-${seed}`) }
}
