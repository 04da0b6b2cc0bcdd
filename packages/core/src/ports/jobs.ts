import type { Milliseconds } from './metadata-store.ts'

/** Work for the background that is to be done, whichever process does it. */
export interface NewJob {
  /** What does it: the name of a {@link JobKind}, for example `registry.sweep`. */
  kind: string
  /** One job of a kind waits under a key at most; asking again asks for the same one. Null: every request is one more. */
  key: string | null
  /** For whoever does it; usually JSON. */
  payload: string
  /** How long it waits before it is due. */
  delay: Milliseconds
}

/** A job that this process may do until its lease ends. */
export interface LeasedJob {
  id: number
  kind: string
  key: string | null
  payload: string
  /** How often it was begun, this time included, since it last succeeded or was asked for anew. */
  attempts: number
}

/** Which lease is meant: whoever has lost it changes nothing. */
export interface JobLease {
  id: number
  /** Chosen at random by whoever leased the job. */
  token: string
}

/** A job as an operator sees it. */
export interface JobRecord {
  id: number
  kind: string
  key: string | null
  /** `failed`: given up; it stays until it is asked for anew. */
  state: 'waiting' | 'running' | 'failed'
  runAfter: Milliseconds
  attempts: number
  /** What went wrong the last time. */
  error: string | null
}

/**
 * The queue of the background, shared by all processes of all replicas. A job is done by whoever holds its lease; one that
 * dies loses it when the lease ends, and the job begins again elsewhere. So a job may be begun more than once and stopped
 * anywhere: it has to be idempotent.
 */
export interface JobQueue {
  /**
   * Asks for a job. One that waits under the same key is done at the earlier of both times, with the newer payload; one
   * that is being done is done once more afterwards, since it may have passed what this asks for; one that failed begins
   * anew.
   */
  enqueueJob(job: NewJob): Promise<void>

  /**
   * Makes sure that the job of a periodic kind (key `''`) is there, and due after `delay` at the latest: its period may
   * have been shortened. One that is being done stays as it is.
   */
  scheduleJob(kind: string, delay: Milliseconds): Promise<void>

  /** Takes the lease of the job that has been due longest, of these kinds, and counts an attempt. Null: nothing is due. */
  leaseJob(input: { kinds: readonly string[]; token: string; lease: Milliseconds }): Promise<LeasedJob | null>

  /** Holds the lease for `lease` more from now on. False when it is lost: stop the work. */
  extendJob(held: JobLease, lease: Milliseconds): Promise<boolean>

  /**
   * Ends a job that is done. It goes, or is due again after `again`; at once when it was asked for meanwhile. False when
   * the lease was lost.
   */
  finishJob(held: JobLease, again: Milliseconds | null): Promise<boolean>

  /**
   * Gives a job back that was not done, to be tried again after `retry`; null gives it up. False when the lease was lost.
   */
  failJob(held: JobLease, error: string, retry: Milliseconds | null): Promise<boolean>

  /** Jobs in the order in which they were first asked for, `limit` at most. */
  listJobs(limit: number): Promise<JobRecord[]>
}
