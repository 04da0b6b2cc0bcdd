import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findProgram } from '../support/environment.ts'
import { killGroup, run } from '../support/run.ts'
import type { TestContext } from 'vitest'

/** Debian's name, and what others call it. */
const names = ['chromium', 'chromium-browser', 'google-chrome']

/** No window, no network of its own, nothing of the person who runs the tests. */
const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Skips a test where there is no browser. */
export function requireChromium(context: TestContext): void {
  if (findChromium() === null) context.skip('missing peer: chromium (apt-get install chromium)')
}

/** Opens a page and returns its document once it is loaded. */
export async function openPage(url: string, options: { flags?: readonly string[] } = {}): Promise<string> {
  await using browser = await newBrowser()
  return await run(browser.program, [...browser.flags, '--dump-dom', ...(options.flags ?? []), url], browser)
}

/** Keeps a page open until something has happened that it causes. */
export async function openPageUntil<T>(url: string, happened: Promise<T>): Promise<T> {
  await using browser = await newBrowser()
  const child = spawn(browser.program, [...browser.flags, url], {
    ...browser,
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  })
  child.stdout.resume()
  // All of its processes hold the pipe; they write into the profile until they end.
  const ended = once(child, 'close')
  try {
    const early = ended.then(() => {
      throw new Error('The browser has ended before the page has done its work.')
    })
    return await Promise.race([happened, early])
  } finally {
    killGroup(child)
    await ended
  }
}

/** How to call the browser with a new profile, which goes away when this is disposed of. */
async function newBrowser(): Promise<
  AsyncDisposable & { program: string; flags: string[]; env: Record<string, string> }
> {
  const program = findChromium()
  if (program === null) throw new Error('There is no Chromium.')
  const profile = await mkdtemp(join(tmpdir(), 'or-chromium-'))
  return {
    program,
    flags: [...flags, `--user-data-dir=${profile}`],
    env: { PATH: process.env['PATH'] ?? '', HOME: profile, LANG: 'C.UTF-8' },
    [Symbol.asyncDispose]: () => rm(profile, { recursive: true, force: true, maxRetries: 5 }),
  }
}

function findChromium(): string | null {
  for (const name of names) {
    const path = findProgram(name)
    if (path !== null) return path
  }
  return null
}
