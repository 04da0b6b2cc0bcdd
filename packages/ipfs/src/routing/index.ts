export type { ProviderRecord } from './provider-record.ts'
export { createRouting, type ProvidersRequest, type Routing } from './routing.ts'
