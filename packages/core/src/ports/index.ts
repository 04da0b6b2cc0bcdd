export * from './blob-store.ts'
export * from './content-hasher.ts'
export * from './metadata-store.ts'
export * from './storage-key.ts'
