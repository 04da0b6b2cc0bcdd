export * from './authorize.ts'
export * from './decide.ts'
export * from './principal.ts'
