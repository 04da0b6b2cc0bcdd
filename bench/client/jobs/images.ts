import type { Connection } from '../connection.ts'
import { prepareImage, type PreparedImage } from '../images.ts'
import { inParallel } from '../in-parallel.ts'
import { hasBlob, pushBlob, putManifest } from '../registry-calls.ts'
import type { ReadyJob } from './job.ts'

/** Pushes small images as a client does: HEAD and push of every blob, then the manifest. */
export interface ImagesJob {
  kind: 'images'
  count: number
  layers: number
  /** Bytes of each layer. */
  layerSize: number
  /** Over how many repositories the images are spread, as builds of many projects are. */
  repositories: number
  parallel: number
  /** None is begun after so long: not every registry gets to the end in a time that anybody would wait. */
  limitSeconds: number
}

async function pushImage(
  connection: Connection,
  repository: string,
  tag: string,
  image: PreparedImage,
): Promise<void> {
  for (const blob of image.blobs) {
    if (await hasBlob(connection, repository, blob.digest)) throw new Error('the blob should be new')
    await pushBlob(connection, repository, blob, 'put')
  }
  await putManifest(connection, repository, tag, image.manifest)
}

/** Makes all blobs and manifests. */
export function prepareImages(port: number, job: ImagesJob): ReadyJob {
  const images = Array.from({ length: job.count }, (_, seed) => ({
    repository: `bench/project-${seed % job.repositories}`,
    tag: `v${seed}`,
    image: prepareImage(seed, job.layers, job.layerSize),
  }))
  return () =>
    inParallel(
      port,
      job.parallel,
      images,
      (connection, { repository, tag, image }) => pushImage(connection, repository, tag, image),
      job.limitSeconds,
    )
}
