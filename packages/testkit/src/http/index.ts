export * from './http-client.ts'
export { Http2Client } from './http2-client.ts'
export * from './http-response.ts'
export * from './raw-connection.ts'
