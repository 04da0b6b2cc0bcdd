import { flushCompileCache } from 'node:module'
import { openLog, type Logger, type LogOptions } from '@openregistry/server/log'
import type { Config } from '@openregistry/server/config'
import type { Command } from 'commander'
import { loadConfigOf } from '../load-config.ts'
import { colorsOf } from '../terminal/colors.ts'
import { version } from '../version.ts'
import { firstScreen } from './first-screen.ts'
import { logFaults } from './log-faults.ts'
import { stopServing } from './stop-serving.ts'
import { stopSignals } from './stop-signals.ts'
import type { RunningTree } from './supervisor.ts'

/**
 * Serves until a signal says otherwise; returns once everything is stopped and written.
 * @throws ConfigError, or whatever keeps the registry from starting.
 */
export async function serve(command: Command, { json }: { json?: boolean }): Promise<void> {
  const { config, file } = await loadConfigOf(command)
  const terminal = process.stdout.isTTY === true
  const logOptions: LogOptions = {
    level: config.log.level,
    format: json ? 'json' : config.log.format,
    terminal,
    color: colorsOf(process.stdout),
  }
  const log = await openLog(logOptions)
  logFaults(log)
  using signals = stopSignals()
  let stopped = false
  void signals.first.then(() => (stopped = true))
  const running = await start(config, log, logOptions).catch((error: unknown) => {
    // Workers that a signal of the terminal ended while they began are no fault.
    if (stopped) return null
    throw error
  })
  if (running === null) return
  log.info('server_start', { addresses: running.addresses, mode: config.auth.mode, version: version() })
  warnOfOpenNetwork(config, log)
  // From here on a kill loses what was compiled; the next start would do it again.
  flushCompileCache()
  if (terminal && !json && config.log.format !== 'json') {
    await log.flush()
    process.stdout.write(firstScreen({ config, file, addresses: running.addresses, version: version() }))
  }

  const reason = await signals.first
  log.info('server_stopping', { reason })
  signals.onSecond(() => {
    log.warn('server_killed', { message: 'Stopped at once, at the second signal.' })
    running.kill()
    void log.flush().finally(() => process.exit(1))
  })
  await running.stop()
  log.info('server_stop')
  await log.flush()
}

/** SQLite has one process that does everything; PostgreSQL has a supervisor with workers. There is no third shape. */
async function start(config: Config, log: Logger, logOptions: LogOptions): Promise<RunningTree> {
  if (config.db.kind === 'postgres') {
    const { startSupervisor } = await import('./supervisor.ts')
    return startSupervisor(config, log, logOptions)
  }
  const { startRegistry } = await import('../composition.ts')
  const registry = await startRegistry(config, log)
  return {
    addresses: registry.addresses,
    stop: () => stopServing(registry, config),
    kill: () => undefined,
  }
}

function warnOfOpenNetwork({ auth, http }: Config, log: Logger): void {
  if (auth.mode !== 'open') return
  const message = 'Open mode: everybody who reaches this address may push, pull and delete.'
  if (auth.allow_open_network) log.warn('open_mode', { host: http.host, message })
  else log.info('open_mode', { host: http.host, message })
}
