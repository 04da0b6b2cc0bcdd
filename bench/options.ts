import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { defaultPeers, peers, quickPeers } from './peers/index.ts'
import type { PeerId } from './peers/peer.ts'
import { quickRowIds, rowIds } from './rows/index.ts'

/** What the command line asks for. */
export interface Options {
  rows: ReadonlySet<string>
  peers: readonly PeerId[]
  repeat: number
  quick: boolean
  /** Only says which rows and peers there are. */
  list: boolean
  /** Tags and repositories to fill in; null for the size's own. */
  tags: number | null
  repositories: number | null
  /** Files for the results; null for none. */
  json: string | null
  out: string | null
  /** Folder on the disk to measure. */
  folder: string
}

/** What `--help` prints. */
export const usage = `Measures this registry beside others: the same client, the same work, taking turns in one run.

usage: npm run bench -- [options]

  --quick            less work, one turn each, fewer rows and peers, under two minutes
  --list             says which rows and peers there are, and whether they are installed
  --rows <ids>       some of: ${rowIds.join(' ')}
                     (default: all; with --quick ${quickRowIds.join(' ')})
  --peers <ids>      some of: ${peers.map(({ id }) => id).join(' ')}
                     (default: all but ${peers.flatMap(({ id }) => (defaultPeers.includes(id) ? [] : [id])).join(' ')}; with --quick ${quickPeers.join(' ')})
  --repeat <n>       turns of each peer in each row (default 3, with --quick 1)
  --tags <n>         tags of the repository that is asked (default 1000)
  --repositories <n> repositories of the catalog (default 300)
  --dir <folder>     where the registries keep their data (default: the folder for temporary files)
  --out <file>       writes the table there too
  --json <file>      writes every sample there

ZOT_BIN names a zot program, DISTRIBUTION_BIN, KUBO_BIN and VERSITYGW_BIN those that tools/peers/install.sh has not built,
OPENREGISTRY_POSTGRES_BIN the folder of PostgreSQL's programs.
`

/** A list separated by commas, every part one of the allowed. @throws Error naming the first that is not */
function listOf<T extends string>(
  option: string,
  value: string | undefined,
  allowed: readonly T[],
): T[] | null {
  if (value === undefined) return null
  return value.split(',').map((part) => {
    const found = allowed.find((candidate) => candidate === part.trim())
    if (found === undefined) throw new Error(`${option}: "${part}" is none of ${allowed.join(', ')}`)
    return found
  })
}

/** A whole number from 1, or null when it was not given. @throws Error saying so */
function countOf(option: string, value: string | undefined): number | null {
  if (value === undefined) return null
  const count = Number(value)
  if (!Number.isInteger(count) || count < 1) throw new Error(`${option}: expected a whole number from 1`)
  return count
}

/**
 * Reads the command line.
 *
 * @returns null when help was asked for
 * @throws Error saying what was expected
 */
export function parseOptions(args: readonly string[]): Options | null {
  const string = { type: 'string' } as const
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', short: 'h' },
      quick: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      rows: string,
      peers: string,
      repeat: string,
      tags: string,
      repositories: string,
      dir: string,
      out: string,
      json: string,
    },
  })
  if (values.help) return null
  const ids = peers.map(({ id }) => id)
  return {
    rows: new Set(listOf('--rows', values.rows, rowIds) ?? (values.quick ? quickRowIds : rowIds)),
    peers: listOf('--peers', values.peers, ids) ?? (values.quick ? quickPeers : defaultPeers),
    list: values.list,
    repeat: countOf('--repeat', values.repeat) ?? (values.quick ? 1 : 3),
    tags: countOf('--tags', values.tags),
    repositories: countOf('--repositories', values.repositories),
    quick: values.quick,
    json: values.json ?? null,
    out: values.out ?? null,
    folder: values.dir ?? tmpdir(),
  }
}
