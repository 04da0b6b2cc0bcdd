/** Fields of a log line; the names are those of `docs/operations.md`. Values that are undefined are left out. */
export interface EventFields {
  request_id?: string
  repository?: string
  digest?: string
  ipfs_cid?: string
  size?: number
  duration_ms?: number
  principal?: string
  /** Anything else that helps; never a secret. */
  [name: string]: unknown
}

/** Where events go. One event, one line. */
export interface EventLog {
  debug(event: string, fields?: EventFields): void
  info(event: string, fields?: EventFields): void
  warn(event: string, fields?: EventFields): void
  error(event: string, fields?: EventFields): void
}
