export * from './cid.ts'
export * from './unixfs-shape.ts'
export * from './unixfs-tree.ts'
