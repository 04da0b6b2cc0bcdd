import { isAbsolute, join, resolve } from 'node:path'
import { formatDuration, parseDuration } from './duration.ts'
import { formatSize, parseSize } from './size.ts'

/** What values may depend on besides their text. */
export interface ValueContext {
  /** The folder that relative paths begin at. */
  cwd: string
}

/** A value that is not of its type. The loader adds where it was found. */
export class ValueMismatch extends Error {}

/** How one kind of value is read from text, as it stands in YAML or in an environment variable, and written again. */
export interface ValueType<T> {
  /** Completes "expected …". */
  readonly expected: string
  /**
   * Reads a value.
   * @throws ValueMismatch when the text is not a value of this type; its message, if any, says more than `expected`.
   */
  parse(text: string, context: ValueContext): T
  /** Reads a YAML sequence; only types of several values have it. */
  parseEntries?(entries: readonly string[], context: ValueContext): T
  /** Writes a YAML mapping, key by key; only types of named values have it. They read one through `parseEntries`. */
  printPairs?(value: T): [name: string, text: string][]
  /** Writes a value so that `parse` gives it back. */
  print(value: T): string
}

/** Text as it is, not empty. */
export function text(expected: string, form = /^\S(?:.*\S)?$/): ValueType<string> {
  return {
    expected,
    parse(value) {
      if (!form.test(value)) throw new ValueMismatch()
      return value
    },
    print: (value) => value,
  }
}

/** A path of a file or folder; relative ones begin at the working directory. Read as an absolute path. */
export function path(what: 'file' | 'folder'): ValueType<string> {
  return {
    expected: `the path of a ${what}`,
    parse(value, { cwd }) {
      if (value === '' || value.includes('\0')) throw new ValueMismatch()
      return isAbsolute(value) ? join(value) : resolve(cwd, value)
    },
    print: (value) => value,
  }
}

/** A whole number from `least` to `most`. */
export function integer(least: number, most: number = Number.MAX_SAFE_INTEGER): ValueType<number> {
  const upTo = most === Number.MAX_SAFE_INTEGER ? 'up' : `to ${most}`
  return {
    expected: `a whole number from ${least} ${upTo}`,
    parse(value) {
      const number = /^\d{1,16}$/.test(value) ? Number(value) : NaN
      if (!(number >= least && number <= most)) throw new ValueMismatch()
      return number
    },
    print: String,
  }
}

/** A duration in milliseconds, written with its unit. `0` needs none. */
export function duration(least: number, most: number = 3650 * 24 * 3600_000): ValueType<number> {
  return {
    expected: `a duration from ${formatDuration(least)} to ${formatDuration(most)}, such as 500ms, 30s, 10m, 24h or 7d`,
    parse(value) {
      const milliseconds = parseDuration(value)
      if (milliseconds === null || milliseconds < least || milliseconds > most) throw new ValueMismatch()
      return milliseconds
    },
    print: formatDuration,
  }
}

/** A size in bytes, written plainly or with a unit. */
export function size(least: number, most: number = 2 ** 50): ValueType<number> {
  return {
    expected: `a size from ${formatSize(least)} to ${formatSize(most)}, such as 512, 64KiB, 4MiB, 10GiB or 4MB`,
    parse(value) {
      const bytes = parseSize(value)
      if (bytes === null || bytes < least || bytes > most) throw new ValueMismatch()
      return bytes
    },
    print: formatSize,
  }
}

/** A yes or no. */
export function flag(): ValueType<boolean> {
  return {
    expected: 'true or false',
    parse(value) {
      const lower = value.toLowerCase()
      if (lower !== 'true' && lower !== 'false') throw new ValueMismatch()
      return lower === 'true'
    },
    print: String,
  }
}

/** One of a few words. */
export function choice<const T extends string>(...options: readonly T[]): ValueType<T> {
  return {
    expected:
      options.length === 1 ? `${options[0]}` : `${options.slice(0, -1).join(', ')} or ${options.at(-1)}`,
    parse(value) {
      const found = options.find((option) => option === value)
      if (found === undefined) throw new ValueMismatch()
      return found
    },
    print: (value) => value,
  }
}

/** The address of a web site: scheme and host, perhaps a port, nothing more. Read without a slash at the end. */
export function origin(): ValueType<string> {
  return {
    expected: 'an address such as https://registry.example.org',
    parse(value) {
      const url = URL.canParse(value) ? new URL(value) : null
      if (url === null || !/^https?:$/.test(url.protocol)) throw new ValueMismatch()
      if (url.origin !== value.replace(/\/$/, '').toLowerCase()) {
        throw new ValueMismatch(
          `${url.origin} alone, without credentials, default port, path, query or fragment`,
        )
      }
      return url.origin
    },
    print: (value) => value,
  }
}

/** A port to listen on, perhaps with a host before it. */
export interface ListenAddress {
  /** Name or IP address. */
  host: string
  port: number
}

/** `port`, `host:port` or `[ipv6]:port`; a port alone listens on the loopback address. */
export function listenAddress(): ValueType<ListenAddress> {
  return {
    expected: 'a port, or host:port, such as 9090, 127.0.0.1:9090 or [::1]:9090',
    parse(value) {
      const match = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):)?(\d{1,5})$/.exec(value)
      const port = Number(match?.[3] ?? NaN)
      if (!(port >= 0 && port <= 65_535)) throw new ValueMismatch()
      return { host: match?.[1] ?? match?.[2] ?? '127.0.0.1', port }
    },
    print: ({ host, port }) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`),
  }
}

/** Several values of one type: a YAML sequence, or a list with commas in the environment. */
export function listOf<T>(item: ValueType<T>): ValueType<T[]> {
  const parseEntries = (entries: readonly string[], context: ValueContext) =>
    entries.map((entry) => item.parse(entry, context))
  return {
    expected: `a list; each entry ${item.expected}`,
    parse: (value, context) => parseEntries(value.split(/\s*,\s*/), context),
    parseEntries,
    print: (values) => values.map((value) => item.print(value)).join(', '),
  }
}

/** Named values of one type: a YAML mapping, or `name=value` with commas in the environment. */
export function mapOf<T>(
  name: ValueType<string>,
  item: ValueType<T>,
): ValueType<Readonly<Record<string, T>>> {
  const parseEntries = (entries: readonly string[], context: ValueContext) => {
    const pairs = new Map<string, T>()
    for (const entry of entries) {
      const [, before = '', after = ''] = /^([^=]*?)\s*=\s*(.*)$/s.exec(entry) ?? []
      const parsed = name.parse(before, context)
      if (pairs.has(parsed)) throw new ValueMismatch(`${parsed} once`)
      pairs.set(parsed, item.parse(after, context))
    }
    return Object.fromEntries(pairs)
  }
  return {
    expected: `a mapping; each entry ${name.expected} with ${item.expected}`,
    parse: (value, context) => parseEntries(value.split(/\s*,\s*/), context),
    parseEntries,
    print: (values) =>
      Object.entries(values)
        .map(([key, value]) => `${key}=${item.print(value)}`)
        .join(', '),
    printPairs: (values) => Object.entries(values).map(([key, value]) => [key, item.print(value)]),
  }
}
