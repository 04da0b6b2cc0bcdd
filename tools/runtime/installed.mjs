// Says whether node_modules holds what package-lock.json asks for. Plain JavaScript for any Node ≥ 20.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** @typedef {'nothing' | 'stale' | 'production' | 'development'} Installed */

/**
 * What is installed, by the record that npm itself leaves in node_modules when an installation has ended well
 * (`.package-lock.json`). So an installation by hand counts too, and one that was interrupted does not.
 *
 * - `nothing`: there is no (finished) installation;
 * - `stale`: it belongs to another package-lock.json;
 * - `production`: everything but development dependencies is there; `development`: everything is.
 * @param {string} root the checkout
 * @returns {Installed}
 */
export function installedMode(root) {
  const wanted = readPackages(join(root, 'package-lock.json'))
  const found = readPackages(join(root, 'node_modules', '.package-lock.json'))
  if (wanted === null)
    throw new Error(`${join(root, 'package-lock.json')} is missing or damaged: check it out again.`)
  if (found === null) return 'nothing'

  let development = true
  for (const [path, entry] of Object.entries(wanted)) {
    if (!path.includes('node_modules/')) continue
    const present = found[path]
    if (present !== undefined) {
      if (present.version !== entry.version || present.resolved !== entry.resolved) return 'stale'
    } else if (entry.dev || entry.devOptional) {
      // What belongs to another platform is both optional and never there.
      if (!entry.optional && !entry.devOptional) development = false
    } else if (!entry.optional) {
      return 'stale'
    }
  }
  return development ? 'development' : 'production'
}

/** @returns {Record<string, {version?: string, resolved?: string, dev?: boolean, devOptional?: boolean, optional?: boolean}> | null} */
function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages ?? null
  } catch {
    return null // Not there, or cut short: both mean that there is nothing to rely on.
  }
}
