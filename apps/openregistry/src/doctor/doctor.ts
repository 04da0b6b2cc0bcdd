import { ConfigError, type Config } from '@openregistry/server/config'
import type { Command } from 'commander'
import { exitCodes } from '../exit-codes.ts'
import { loadConfigOf } from '../load-config.ts'
import { formatCount } from '../terminal/amounts.ts'
import { paletteOf } from '../terminal/colors.ts'
import { print, printJson } from '../terminal/print.ts'
import { checkBackends } from './check-backends.ts'
import { checkBlobs } from './check-blobs.ts'
import { checkClock } from './check-clock.ts'
import { checkData } from './check-data.ts'
import { checkDatabase } from './check-database.ts'
import { checkKeys } from './check-keys.ts'
import { checkPlacement } from './check-placement.ts'
import { checkPort } from './check-port.ts'
import { checkRestore } from './check-restore.ts'
import { checkRuntime } from './check-runtime.ts'
import { checkTls } from './check-tls.ts'
import { checkUsersFile } from './check-users-file.ts'
import { failed, ok, type Finding } from './finding.ts'

/** How to examine. */
interface DoctorOptions {
  json?: boolean
  /** Whether a server has to run. */
  running?: boolean
}

/** `openregistry doctor`: looks at everything that a start needs, changes nothing, and ends with 1 if something fails. */
export async function doctor(command: Command, { json, running = false }: DoctorOptions): Promise<void> {
  const findings = await examine(command, running)
  if (findings.some(({ status }) => status === 'failed')) process.exitCode = exitCodes.failure
  if (json) printJson({ checks: findings })
  else print(format(findings))
}

async function examine(command: Command, running: boolean): Promise<Finding[]> {
  const findings = checkRuntime()
  let config: Config
  try {
    const loaded = await loadConfigOf(command)
    config = loaded.config
    findings.push(ok('configuration', `${loaded.file ?? 'no file; defaults and environment'}: no mistakes`))
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const problems = error.message.split('\n')
    const advice = 'Correct it; every key is in docs/configuration.md. The other checks need it.'
    return [...findings, ...problems.map((problem) => failed('configuration', problem, advice))]
  }
  findings.push(...(await checkPort(config, { running })), ...(await checkTls(config)))
  findings.push(...(await checkData(config)), ...(await checkBackends(config)))
  findings.push(...(await checkDatabase(config)), ...(await checkRestore(config)))
  findings.push(...(await checkBlobs(config)))
  if (!running) findings.push(...(await checkPlacement(config)))
  findings.push(...(await checkUsersFile(config)), ...(await checkKeys(config)))
  findings.push(...(await checkClock(config)))
  return findings
}

function format(findings: readonly Finding[]): string {
  const { good, warn, bad, bold } = paletteOf(process.stdout)
  const marks = { ok: good('ok  '), warning: warn('warn'), failed: bad('FAIL') }
  const width = Math.max(...findings.map(({ check }) => check.length))
  const lines = findings.flatMap(({ check, status, message, advice }) => [
    `${marks[status]}  ${check.padEnd(width)}  ${message}`,
    ...(advice === undefined ? [] : [`      ${' '.repeat(width)}  ${advice}`]),
  ])
  const count = (status: Finding['status']) => findings.filter((finding) => finding.status === status).length
  const [failures, warnings] = [count('failed'), count('warning')]
  const verdict =
    failures > 0
      ? bad(`${formatCount(failures, 'check')} failed.`)
      : `Ready to serve${warnings > 0 ? `, with ${formatCount(warnings, 'warning')}` : ''}.`
  return [...lines, '', bold(verdict)].join('\n')
}
