// One installation at a time in one checkout. Plain JavaScript for any Node ≥ 20, without dependencies.
import { linkSync, mkdirSync, readFileSync, rmdirSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** How often a waiting process looks again, in milliseconds. */
const interval = 200
/** A lock that another machine holds on a shared folder cannot be asked; after this long it is taken as left over. */
const foreignLifetime = 30 * 60_000

/**
 * Runs `work` while no other process does so in this checkout. The lock lies beside node_modules, not in it: `npm ci`
 * removes that folder.
 * @template T
 * @param {string} root the checkout
 * @param {() => void} onWait called once when another process has the lock
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withInstallationLock(root, onWait, work) {
  const lock = join(root, '.install-lock')
  let told = false
  while (!take(lock)) {
    if (breakStale(lock)) continue
    if (!told) onWait()
    told = true
    await sleep(interval)
  }
  const release = () => unlinkSync(lock)
  process.once('exit', release)
  try {
    return await work()
  } finally {
    process.off('exit', release)
    release()
  }
}

/** Takes the lock if it is free. A hard link appears with its content, so nobody sees a lock without an owner. */
function take(lock) {
  const mine = `${lock}-${process.pid}`
  writeFileSync(mine, JSON.stringify({ pid: process.pid, host: hostname() }))
  try {
    linkSync(mine, lock)
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  } finally {
    unlinkSync(mine)
  }
}

/**
 * Removes a lock whose owner is gone. Only whoever holds the second lock removes the first, so two that find the same
 * stale lock never take away a fresh one.
 * @returns {boolean} whether it is worth trying again at once
 */
function breakStale(lock) {
  if (!isStale(lock)) return false
  const breaking = `${lock}-breaking`
  try {
    mkdirSync(breaking)
  } catch {
    if (ageOf(breaking) > 10_000) rmdirSync(breaking)
    return false
  }
  try {
    if (isStale(lock)) unlinkSync(lock)
    return true
  } finally {
    rmdirSync(breaking)
  }
}

function isStale(lock) {
  let owner
  try {
    owner = JSON.parse(readFileSync(lock, 'utf8'))
  } catch {
    return false // Released a moment ago.
  }
  if (owner.host !== hostname()) return ageOf(lock) > foreignLifetime
  try {
    process.kill(owner.pid, 0)
    return false
  } catch (error) {
    return error.code === 'ESRCH'
  }
}

/** Milliseconds since the last change, 0 when it is not there. */
function ageOf(path) {
  try {
    return Date.now() - statSync(path).mtimeMs
  } catch {
    return 0
  }
}
