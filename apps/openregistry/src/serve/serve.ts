import { flushCompileCache } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { openLog, type Logger } from '@openregistry/server/log'
import type { Config } from '@openregistry/server/config'
import type { Command } from 'commander'
import { startRegistry } from '../composition.ts'
import { loadConfigOf } from '../load-config.ts'
import { colorsOf } from '../terminal/colors.ts'
import { version } from '../version.ts'
import { firstScreen } from './first-screen.ts'
import { stopSignals } from './stop-signals.ts'

/**
 * Serves until a signal says otherwise; returns once everything is stopped and written.
 * @throws ConfigError, or whatever keeps the registry from starting.
 */
export async function serve(command: Command, { json }: { json?: boolean }): Promise<void> {
  const { config, file } = await loadConfigOf(command)
  const terminal = process.stdout.isTTY === true
  const log = await openLog({
    level: config.log.level,
    format: json ? 'json' : config.log.format,
    terminal,
    color: colorsOf(process.stdout),
  })
  logFaults(log)
  using signals = stopSignals()
  const registry = await startRegistry(config, log)
  log.info('server_start', { addresses: registry.addresses, mode: config.auth.mode, version: version() })
  warnOfOpenNetwork(config, log)
  // From here on a kill loses what was compiled; the next start would do it again.
  flushCompileCache()
  if (terminal && !json && config.log.format !== 'json') {
    await log.flush()
    process.stdout.write(firstScreen({ config, file, addresses: registry.addresses, version: version() }))
  }

  const reason = await signals.first
  log.info('server_stopping', { reason })
  signals.onSecond(() => {
    log.warn('server_killed', { message: 'Stopped at once, at the second signal.' })
    void log.flush().finally(() => process.exit(1))
  })
  registry.drain()
  await sleep(config.limits.shutdown_delay)
  await registry.stop()
  log.info('server_stop')
  await log.flush()
}

function warnOfOpenNetwork({ auth, http }: Config, log: Logger): void {
  if (auth.mode !== 'open') return
  const message = 'Open mode: everybody who reaches this address may push, pull and delete.'
  if (auth.allow_open_network) log.warn('open_mode', { host: http.host, message })
  else log.info('open_mode', { host: http.host, message })
}

/** A fault that nobody caught leaves unknown state behind: it is logged where logs are read, and ends the process. */
function logFaults(log: Logger): void {
  process.on('uncaughtException', (error, origin) => {
    log.error('fault', { error, origin })
    void log.flush().finally(() => process.exit(1))
  })
}
