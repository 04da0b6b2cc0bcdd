/** Media types by their place in an image (image specification, "Media Types"; Docker's image manifest V2 schema 2). */
export const mediaTypes = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerManifestList: 'application/vnd.docker.distribution.manifest.list.v2+json',

  /** Refused: schema 1 of Docker, unsigned and signed. */
  dockerSchema1: 'application/vnd.docker.distribution.manifest.v1+json',
  dockerSchema1Signed: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
  /** Refused: the artifact manifest of release candidates of OCI 1.1, which the release dropped. */
  ociArtifactManifest: 'application/vnd.oci.artifact.manifest.v1+json',

  ociConfig: 'application/vnd.oci.image.config.v1+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  /** Config (or layer) of artifacts that need none: the two bytes `{}`. */
  ociEmpty: 'application/vnd.oci.empty.v1+json',

  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  ociLayerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  ociLayerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',

  ociForeignLayer: 'application/vnd.oci.image.layer.nondistributable.v1.tar',
  ociForeignLayerGzip: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
  ociForeignLayerZstd: 'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd',
  dockerForeignLayer: 'application/vnd.docker.image.rootfs.foreign.diff.tar',
  dockerForeignLayerGzip: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',

  octetStream: 'application/octet-stream',
} as const

/** Media types of manifests that this registry takes, in the order in which messages name them. */
export const manifestMediaTypes: readonly string[] = [
  mediaTypes.ociManifest,
  mediaTypes.ociIndex,
  mediaTypes.dockerManifest,
  mediaTypes.dockerManifestList,
]

const foreignLayers: ReadonlySet<string> = new Set([
  mediaTypes.ociForeignLayer,
  mediaTypes.ociForeignLayerGzip,
  mediaTypes.ociForeignLayerZstd,
  mediaTypes.dockerForeignLayer,
  mediaTypes.dockerForeignLayerGzip,
])

/** Whether it is the type of an OCI index or a Docker manifest list. */
export function isIndexType(mediaType: string): boolean {
  return mediaType === mediaTypes.ociIndex || mediaType === mediaTypes.dockerManifestList
}

/** Whether it is the type of an OCI or Docker schema 2 image manifest. */
export function isImageManifestType(mediaType: string): boolean {
  return mediaType === mediaTypes.ociManifest || mediaType === mediaTypes.dockerManifest
}

/** Whether it is the type of a layer that need not be in the registry: it is fetched from its `urls`. */
export function isForeignLayerType(mediaType: string): boolean {
  return foreignLayers.has(mediaType)
}
