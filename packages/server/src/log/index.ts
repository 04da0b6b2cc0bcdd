export { silentLogger, type LogFields, type Logger, type LogLevel, type WriteLog } from './logger.ts'
export { openLog, type LogOptions } from './pino-logger.ts'
export { redact, redacted, redactText } from './redact.ts'
