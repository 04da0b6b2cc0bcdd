export * from './authorize.ts'
export * from './decide.ts'
export * from './for-everybody.ts'
export * from './principal.ts'
