import { gzipSync } from 'node:zlib'
import { mediaTypes, type Annotations, type Descriptor, type DigestAlgorithm } from '@openregistry/oci'
import { contentOf, descriptorOf, digestOf, emptyJson, jsonContent, type Content } from './content.ts'
import { imageIndex, imageManifest, type Family } from './manifests.ts'
import type { Random } from './random.ts'
import { tarOf, type TarEntry } from './tar.ts'

/** A layer, and the digest of what it unpacks to. */
export interface Layer extends Content {
  readonly diffId: string
}

/** A manifest with every blob that has to be pushed before it. */
export interface Image {
  readonly manifest: Content
  /** Config first, then layers. */
  readonly blobs: readonly Content[]
}

/** An index with the images that it lists. */
export interface MultiPlatformImage {
  readonly index: Content
  readonly images: readonly Image[]
}

/** The shape of a random image. */
export interface RandomImageOptions {
  family?: Family
  /** Number of layers, 2 unless said otherwise. */
  layers?: number
  /** Bytes of random content in each layer before it is packed, 1 KiB unless said otherwise. */
  layerSize?: number
  architecture?: string
  annotations?: Annotations
  subject?: Descriptor
  /** Of all digests, those of the blobs included. */
  algorithm?: DigestAlgorithm
}

/** A layer of these files: a gzipped tar archive, as container engines unpack it. */
export function layerOf(
  files: readonly TarEntry[],
  options: { family?: Family; algorithm?: DigestAlgorithm } = {},
): Layer {
  const tar = tarOf(files)
  const mediaType = options.family === 'docker' ? mediaTypes.dockerLayerGzip : mediaTypes.ociLayerGzip
  // Without a time and with a fixed level: the same files are the same layer.
  const content = contentOf(gzipSync(tar, { level: 6 }), { ...options, mediaType })
  return { ...content, diffId: digestOf(tar) }
}

/** A layer of one file of random bytes. */
export function randomLayer(
  random: Random,
  size: number,
  options: { family?: Family; algorithm?: DigestAlgorithm } = {},
): Layer {
  return layerOf([{ path: `data/${random.word(12)}`, bytes: random.bytes(size) }], options)
}

/** An image that any container engine would take: config, layers that unpack, manifest. */
export function randomImage(random: Random, options: RandomImageOptions = {}): Image {
  const { family = 'oci', layers: count = 2, layerSize = 1024, architecture = 'amd64' } = options
  const layers = Array.from({ length: count }, () => randomLayer(random, layerSize, options))
  const config = jsonContent(
    {
      architecture,
      os: 'linux',
      created: '2024-01-01T00:00:00Z',
      config: { Env: [`ID=${random.word(12)}`] },
      rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
      history: layers.map(() => ({ created: '2024-01-01T00:00:00Z', created_by: 'testkit' })),
    },
    { ...options, mediaType: family === 'docker' ? mediaTypes.dockerConfig : mediaTypes.ociConfig },
  )
  const manifest = imageManifest({
    ...options,
    config: descriptorOf(config),
    layers: layers.map((layer) => descriptorOf(layer)),
  })
  return { manifest, blobs: [config, ...layers] }
}

/** One image for each architecture, under one index. */
export function randomMultiPlatformImage(
  random: Random,
  options: Omit<RandomImageOptions, 'architecture'> & { architectures?: readonly string[] } = {},
): MultiPlatformImage {
  const { architectures = ['amd64', 'arm64'], annotations, subject, ...shape } = options
  const images = architectures.map((architecture) => randomImage(random, { ...shape, architecture }))
  const manifests = images.map(({ manifest }, index) =>
    descriptorOf(manifest, { platform: { architecture: architectures[index], os: 'linux' } }),
  )
  const said = { ...(annotations && { annotations }), ...(subject && { subject }) }
  return { index: imageIndex({ ...shape, ...said, manifests }), images }
}

/** An artifact of one blob, with the empty config, as signatures and SBOMs are pushed. */
export function randomArtifact(
  random: Random,
  options: {
    artifactType: string
    subject?: Descriptor
    annotations?: Annotations
    size?: number
    algorithm?: DigestAlgorithm
  },
): Image {
  const config = contentOf(emptyJson.bytes, { ...options, mediaType: mediaTypes.ociEmpty })
  const blob = contentOf(random.bytes(options.size ?? 64), { ...options, mediaType: mediaTypes.octetStream })
  const manifest = imageManifest({ ...options, config: descriptorOf(config), layers: [descriptorOf(blob)] })
  return { manifest, blobs: [config, blob] }
}
