export { findVersitygw, requireVersitygw } from './find-versitygw.ts'
export * from './s3-fault-proxy.ts'
export * from './s3-server.ts'
export * from './with-s3.ts'
