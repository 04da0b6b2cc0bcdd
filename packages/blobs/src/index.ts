export { openDiskBlobStore, type DiskBlobStoreOptions } from './disk/disk-blob-store.ts'
export type { FileLayer, LayerFile } from './disk/file-layer.ts'
export { createContentHasher, type ContentHasherOptions } from './hashing/content-hasher.ts'
export { hashInline } from './hashing/inline.ts'
