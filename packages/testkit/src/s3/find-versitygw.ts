import { execFileSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'vitest'

const installer = join(import.meta.dirname, '../../../../tools/peers/install.sh')

let found: string | null | undefined

/** Where versitygw is, or null: `VERSITYGW_BIN`, else what `tools/peers/install.sh` has built. */
export function findVersitygw(): string | null {
  if (found === undefined) found = executable(process.env['VERSITYGW_BIN'] || built())
  return found
}

/** Skips a test where there is no versitygw, with the reason that the runner counts. */
export function requireVersitygw(context: TestContext): void {
  if (findVersitygw() === null) context.skip('missing peer: versitygw (tools/peers/install.sh versitygw)')
}

/** Where the installer puts it, whether it is there or not. */
function built(): string {
  const line = execFileSync(installer, ['--list', 'versitygw'], { encoding: 'utf8' })
  return line.trim().split(/\s+/)[3] ?? ''
}

function executable(path: string): string | null {
  try {
    accessSync(path, constants.X_OK)
    return path
  } catch {
    return null // Not there, or nothing to run: the same for a test.
  }
}
