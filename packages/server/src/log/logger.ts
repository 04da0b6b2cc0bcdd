/** How important an entry is. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/**
 * What an entry says besides its event. The names are a contract (dashboards and scripts read them); other fields may
 * be added. Secrets do not get through: see `redact`.
 */
export interface LogFields {
  request_id?: string
  repository?: string
  digest?: string
  ipfs_cid?: string
  /** Bytes. */
  size?: number
  duration_ms?: number
  /** Name of whoever asked. */
  principal?: string
  /** What went wrong; written with its stack and causes. */
  error?: unknown
  /** A sentence for people. */
  message?: string
  [other: string]: unknown
}

/**
 * Writes an entry.
 * @param event what happened, in snake case: `blob_upload`, `manifest_push`, `server_start`, …
 */
export type WriteLog = (event: string, fields?: LogFields) => void

/** Where entries go. One event, one entry. Writing never throws and never waits. */
export interface Logger {
  debug: WriteLog
  info: WriteLog
  warn: WriteLog
  error: WriteLog
  /** A logger whose entries all have these fields too. */
  child(fields: LogFields): Logger
  /** Whether entries of this level are written, for callers to whom gathering the fields costs something. */
  writes(level: LogLevel): boolean
  /** Resolves when everything written so far has been handed to the system. */
  flush(): Promise<void>
}

/** A logger that writes nothing. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
  writes: () => false,
  flush: () => Promise.resolve(),
}
