import { setTimeout as sleep } from 'node:timers/promises'
import { pino, type DestinationStream, type Logger as Pino } from 'pino'
import type { Logger, LogLevel, WriteLog } from './logger.ts'
import { redact } from './redact.ts'

/** What a reader that stands still may keep in memory; beyond that entries are dropped. Bytes. */
const bufferLimit = 16 * 2 ** 20

/** How long a flush waits for such a reader, in milliseconds. */
const flushPatience = 2000

/** How and where to log. */
export interface LogOptions {
  level: LogLevel
  /** `auto` is pretty on a terminal, else JSON. */
  format: 'auto' | 'json' | 'pretty'
  /** Whether the output is a terminal. */
  terminal: boolean
  /** Whether pretty output may be coloured. */
  color: boolean
  /** File descriptor to write to; the standard output if it is left out. */
  descriptor?: number
}

/** Opens a log: one JSON object a line, or lines for people. */
export async function openLog(options: LogOptions): Promise<Logger> {
  const file = openFile(options.descriptor ?? 1)
  const pretty = options.format === 'pretty' || (options.format === 'auto' && options.terminal)
  const stream = pretty ? await prettyStream(file, options.color) : file
  const log = pino(
    {
      level: options.level,
      base: { service: 'openregistry' },
      messageKey: 'message',
      timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  )
  const written = () => new Promise<void>((resolve) => file.flush(() => resolve()))
  return wrap(log, () => Promise.race([written(), sleep(flushPatience, undefined, { ref: false })]))
}

/** Writes off the event loop. A log that cannot be written (disk full, pipe closed) must not stop the registry. */
function openFile(dest: number): ReturnType<typeof pino.destination> {
  // Without a least length of 1 its flush returns before anything is written.
  const file = pino.destination({ dest, sync: false, minLength: 1, maxLength: bufferLimit })
  file.on('error', () => {})
  return file
}

/** pino-pretty in this process, loaded only when somebody looks at a terminal. */
async function prettyStream(destination: DestinationStream, color: boolean): Promise<DestinationStream> {
  const { prettyFactory } = await import('pino-pretty')
  const format = prettyFactory({
    colorize: color,
    messageKey: 'message',
    timestampKey: 'timestamp',
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'service,event,message',
    messageFormat: (entry) => [entry['event'], entry['message']].filter(Boolean).join(': '),
    errorLikeObjectKeys: ['error'],
    singleLine: true,
  })
  return { write: (line) => destination.write(format(line)) }
}

function wrap(log: Pino, flush: () => Promise<void>): Logger {
  const write =
    (level: LogLevel): WriteLog =>
    (event, fields = {}) => {
      if (log.isLevelEnabled(level)) log[level]({ event, ...redact(fields) })
    }
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (fields) => wrap(log.child(redact(fields)), flush),
    writes: (level) => log.isLevelEnabled(level),
    flush,
  }
}
