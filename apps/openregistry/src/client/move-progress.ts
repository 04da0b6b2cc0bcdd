import type { MoveFacts } from '@openregistry/sdk'
import { formatBytes, formatCount } from '../terminal/amounts.ts'
import { formatLeft } from '../terminal/progress-line.ts'

/** How far a move was when it was looked at first, and when that was. */
export interface MoveStart {
  bytes: number
  at: number
}

/** Bytes that a move has copied, those of blobs that are not complete among them. */
export function copiedBytes({ done, underWay }: MoveFacts): number {
  return done.bytes + underWay
}

/** One line about how far a move is, how fast it goes and how long it may take. @param now milliseconds, as `start.at`. */
export function describeMove(move: MoveFacts, start: MoveStart, now: number): string {
  const { total, done, error } = move
  if (error !== null) return `It will be tried again: ${error}`
  const copied = copiedBytes(move)
  if (total === null) return `Moving to ${move.backend}: ${formatCount(done.blobs, 'blob')} so far`
  // What was pushed to the old backend meanwhile comes on top.
  const blobs = `${done.blobs} of ${formatCount(Math.max(total.blobs, done.blobs), 'blob')}`
  const bytes = `${formatBytes(copied)} of ${formatBytes(Math.max(total.bytes, copied))}`
  const seconds = (now - start.at) / 1000
  const rate = seconds > 0 ? (copied - start.bytes) / seconds : 0
  const left = (total.bytes - copied) / rate
  const parts = [blobs, bytes, `${formatBytes(rate)}/s`]
  if (Number.isFinite(left) && left > 0) parts.push(`${formatLeft(left)} left`)
  return parts.join(', ')
}
