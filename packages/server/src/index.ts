export { basicAuthentication, openMode, type Authenticator } from './http/authenticate.ts'
export type { LogFields, Logger } from './log/logger.ts'
export { startServer, type RunningServer, type ServerOptions } from './start-server.ts'
export { ociAnswers } from './v2/errors.ts'
