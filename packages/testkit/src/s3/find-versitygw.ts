import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import type { TestContext } from 'vitest'

const installer = join(import.meta.dirname, '../../../../tools/peers/install.sh')

let found: string | null | undefined

/** Where versitygw is, or null: `VERSITYGW_BIN`, else what `tools/peers/install.sh` has built. */
export function findVersitygw(): string | null {
  if (found !== undefined) return found
  return (found = process.env['VERSITYGW_BIN'] || built())
}

/** Skips a test where there is no versitygw, with the reason that the runner counts. */
export function requireVersitygw(context: TestContext): void {
  if (findVersitygw() === null) context.skip('missing peer: versitygw (tools/peers/install.sh versitygw)')
}

function built(): string | null {
  const line = execFileSync(installer, ['--list', 'versitygw'], { encoding: 'utf8' })
  const [, , state, path] = line.trim().split(/\s+/)
  return state === 'present' && path !== undefined ? path : null
}
