/** Milliseconds that a service may stay silent, unless said otherwise. */
export const defaultTimeout = 30_000

/** Milliseconds in which something is tried again that did not reach a service, unless said otherwise. */
export const defaultRetry = 15_000

/** Connections for calls, and as many for reads. */
export const connections = 32

/** Milliseconds for an answer to a check, which has to be quicker than whoever asks for it loses patience. */
export const checkTimeout = 2500

/** Bytes a millisecond with which even slow disks read: how much longer an answer may take that waits for a whole object. */
export const slowestDisk = 10_000
