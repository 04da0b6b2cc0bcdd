import type { Logger } from '@openregistry/server/log'

/** A fault that nobody caught leaves unknown state behind: it is logged where logs are read, and ends the process. */
export function logFaults(log: Logger): void {
  process.on('uncaughtException', (error, origin) => {
    log.error('fault', { error, origin })
    void log.flush().finally(() => process.exit(1))
  })
}
