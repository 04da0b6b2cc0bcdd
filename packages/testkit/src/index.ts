export * from './blob-store-contract/index.ts'
export * from './content-hasher-contract.ts'
export * from './http/index.ts'
export * from './images/index.ts'
