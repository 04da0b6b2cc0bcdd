import type { S3BlobStoreOptions } from './s3-blob-store.ts'

/** What a test says of a store, besides where its bucket is: small parts, and time limits that a test can wait for. */
export const testSettings = {
  backend: 's3',
  region: 'us-east-1',
  pathStyle: true,
  connections: 32,
  connectTimeout: 2000,
  timeout: 20_000,
  attempts: 3,
  public: false,
  prefix: '',
  partSize: 5 * 1024 * 1024,
  redirect: false,
} satisfies Partial<S3BlobStoreOptions>
