/** What a hash thread is asked. A run's requests come in the order in which they were made. */
export type HashRequest =
  /** Continues the running digests of a run, which the first of these begins. */
  | { kind: 'update'; run: number; piece: Uint8Array; sha512: boolean }
  /** SHA-256 of one piece by itself. */
  | { kind: 'leaf'; piece: Uint8Array }
  /** Ends a run. */
  | { kind: 'finish'; run: number; sha512: boolean }
  /** Ends a run without a result. */
  | { kind: 'forget'; run: number }

/** What a thread answers; which fields are set depends on the request. */
export interface HashReply {
  /** SHA-256 of a leaf: of the piece, or of the first one of a run. */
  leaf?: Uint8Array
  /** The digests of a whole run. */
  sha256?: Uint8Array
  sha512?: Uint8Array | null
}

/** A request on its way to a thread. */
export interface Asked {
  id: number
  request: HashRequest
}

/** A reply on its way back; `error` when the request failed. */
export interface Answered {
  id: number
  reply: HashReply
  error: string | null
}
