export { basicAuthentication, openMode, type Authenticator } from './http/authenticate.ts'
export type { EventFields, EventLog } from './http/event-log.ts'
export { startServer, type RunningServer, type ServerOptions } from './start-server.ts'
export { ociAnswers } from './v2/errors.ts'
