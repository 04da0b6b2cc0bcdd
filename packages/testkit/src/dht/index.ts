export { DhtServer, type ProviderRecord } from './dht-server.ts'
