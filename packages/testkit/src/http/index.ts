export * from './http-client.ts'
export * from './http-response.ts'
export * from './raw-connection.ts'
export * from './fault-proxy.ts'
