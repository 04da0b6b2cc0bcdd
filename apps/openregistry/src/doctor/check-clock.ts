import { stat } from 'node:fs/promises'
import type { Config } from '@openregistry/server/config'
import { databaseFile } from '../data-files.ts'
import { failed, ok, type Finding } from './finding.ts'

/** This program did not exist before; a clock that says so has lost its battery. */
const beginning = Date.UTC(2026, 0, 1)
/** What may lie between the clocks of two machines that share a folder, in milliseconds. */
const tolerance = 5 * 60_000

/** Whether the clock can be right. Nobody else is asked what time it is. */
export async function checkClock({ data_dir: data }: Config, now = Date.now()): Promise<Finding[]> {
  const shown = new Date(now).toISOString()
  const advice = 'Set the clock (timedatectl set-ntp true): leases, expiry and certificates go by it.'
  if (now < beginning) return [failed('clock', `it says ${shown}`, advice)]
  const written = await stat(databaseFile(data)).catch(() => null)
  if (written !== null && written.mtimeMs > now + tolerance) {
    const message = `it says ${shown}, but the database was written at ${written.mtime.toISOString()}`
    return [failed('clock', message, advice)]
  }
  return [ok('clock', shown)]
}
