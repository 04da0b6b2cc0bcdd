/** What is to happen when the process gets to a place in its work. */
export interface Trap {
  /** `<store>.<operation> <before|after>`; any of these. */
  points: readonly string[]
  /** How many times one of them is passed before. */
  skip: number
  action:
    | { kind: 'kill' }
    /** The process stands still there, as one that the system has put to sleep. */
    | { kind: 'pause'; milliseconds: number }
    /** The caller gets a fault, though after the operation it has happened; for the next `times` times. */
    | { kind: 'fail'; times: number }
}

/** Faults of the blob store that can be switched over a channel; as `BlobFaults` of the testkit. */
export interface BackendFault {
  away?: boolean
  failOpen?: boolean
  failDelete?: boolean
  failWriteAt?: number | null
  failReadAt?: number | null
  endReadAt?: number | null
  wrongByteAt?: number | null
  /** Milliseconds before every chunk. */
  slow?: number
}

/** What the background does, one round of it. `collect at once` is a collection that rests between no two steps. */
export type Chore = 'sweep' | 'collect' | 'collect at once' | 'scrub'

/** What the harness asks of a registry process. */
export type Request =
  | { ask: 'trap'; trap: Trap }
  | { ask: 'backend'; faults: BackendFault }
  | { ask: 'housekeeping'; chore: Chore }
  | { ask: 'stop' }

/** What a registry process tells. */
export type Message =
  | { tell: 'ready'; origin: string }
  | { tell: 'trapped'; point: string }
  | { tell: 'answer'; id: number; value?: unknown; error?: string }
