/*
 * Drivers that are loaded when a configuration names them: the others have no memory for them, and start sooner.
 */

/** See `s3/s3-blob-store.ts`. */
export const openS3BlobStore: typeof import('./s3/s3-blob-store.ts').openS3BlobStore = async (...input) =>
  (await import('./s3/s3-blob-store.ts')).openS3BlobStore(...input)

/** See `skynet/skynet-blob-store.ts`. */
export const openSkynetBlobStore: typeof import('./skynet/skynet-blob-store.ts').openSkynetBlobStore = async (
  ...input
) => (await import('./skynet/skynet-blob-store.ts')).openSkynetBlobStore(...input)
