// Installs dependencies when they are missing. Plain JavaScript for any Node ≥ 20, without dependencies.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withInstallationLock } from './installation-lock.mjs'
import { installedMode } from './installed.mjs'

/** After how long a silent installation says that it is still at work, in milliseconds. */
const patience = 20_000

/**
 * Makes sure that dependencies are installed as package-lock.json says.
 *
 * `production` is content with what is there as long as it runs the registry, and installs no development
 * dependencies; `development` wants them. An installation that was made for an older package-lock.json is brought up
 * to date in the extent it had.
 * @param {string} root the checkout
 * @param {'production' | 'development'} mode
 * @throws {Error} with npm's output when it fails.
 */
export async function ensureInstalled(root, mode) {
  if (isEnough(root, mode)) return
  const onWait = () => say('Another process is installing the dependencies; waiting for it.')
  await withInstallationLock(root, onWait, async () => {
    if (isEnough(root, mode)) return
    await install(root, mode === 'production' && !hasDevelopmentTools(root) ? 'production' : 'development')
  })
}

function isEnough(root, mode) {
  const installed = installedMode(root)
  return installed === 'development' || (installed === 'production' && mode === 'production')
}

/** Whether a former installation had the development dependencies, even if for another package-lock.json. */
function hasDevelopmentTools(root) {
  return existsSync(join(root, 'node_modules', 'vitest', 'package.json'))
}

async function install(root, mode) {
  const verb = existsSync(join(root, 'node_modules')) ? 'Updating' : 'Installing'
  const what = mode === 'production' ? 'dependencies' : 'dependencies, those for development included'
  say(`${verb} ${what} (npm install: once, and needs the network).`)
  const reminder = setInterval(() => say('Still installing.'), patience)
  const lock = join(root, 'package-lock.json')
  const wanted = readFileSync(lock, 'utf8')
  try {
    // Not "npm ci": it refuses to work where the registry has not the binaries of all other platforms. Like it, this
    // installs exactly what package-lock.json says. No package here needs an install script, so none may run.
    const quiet = ['--no-audit', '--no-fund', '--no-progress', '--loglevel=error']
    const extent = mode === 'production' ? '--omit=dev' : '--include=dev'
    await npm(root, ['install', ...quiet, '--ignore-scripts', '--include=optional', extent])
  } finally {
    clearInterval(reminder)
    // npm adds what it finds out about other platforms; a start must not change the checkout.
    if (readFileSync(lock, 'utf8') !== wanted) writeFileSync(lock, wanted)
  }
}

/** Runs npm: the one that runs us, if any, else that of the PATH. Its output is shown only when it fails. */
function npm(root, args) {
  const own = process.env.npm_execpath
  const isNpm = own !== undefined && /npm-cli\.c?js$/.test(own)
  const [command, first] = isNpm ? [process.execPath, [own]] : ['npm', []]
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...first, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    const output = []
    child.stdout.on('data', (chunk) => output.push(chunk))
    child.stderr.on('data', (chunk) => output.push(chunk))
    child.on('error', (error) => {
      const hint =
        error.code === 'ENOENT' ? 'npm is not on the PATH: install it with Node, or run "npm start".' : ''
      reject(new Error(`npm could not be started. ${hint}`, { cause: error }))
    })
    child.on('close', (code, signal) => {
      if (code === 0) return resolve()
      const shown = Buffer.concat(output).toString().trimEnd()
      reject(
        new Error(`${shown}\nInstalling the dependencies failed (${signal ?? `npm ended with ${code}`}).`),
      )
    })
  })
}

function say(line) {
  process.stderr.write(`${line}\n`)
}
