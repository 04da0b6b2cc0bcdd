import type { LogFields, Logger, LogLevel } from '@openregistry/server/log'

/** An entry as it was handed to the log. */
export interface LogEntry {
  level: LogLevel
  event: string
  fields: LogFields
}

/** A log that keeps its entries. */
export class LogRecord implements Logger {
  readonly entries: LogEntry[] = []

  debug = (event: string, fields: LogFields = {}): void => this.#add('debug', event, fields)
  info = (event: string, fields: LogFields = {}): void => this.#add('info', event, fields)
  warn = (event: string, fields: LogFields = {}): void => this.#add('warn', event, fields)
  error = (event: string, fields: LogFields = {}): void => this.#add('error', event, fields)

  child(): Logger {
    return this
  }

  writes(): boolean {
    return true
  }

  flush(): Promise<void> {
    return Promise.resolve()
  }

  /** The faults since it was last asked. */
  takeFaults(): LogEntry[] {
    const faults = this.entries.filter((entry) => entry.level === 'error')
    this.entries.length = 0
    return faults
  }

  #add(level: LogLevel, event: string, fields: LogFields): void {
    this.entries.push({ level, event, fields })
  }
}
