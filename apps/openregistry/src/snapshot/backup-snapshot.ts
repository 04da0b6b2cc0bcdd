import { createReadStream } from 'node:fs'
import { mkdir, rm, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { sign } from 'node:crypto'
import { pinSnapshot } from '@openregistry/blobs'
import { encodeIpnsRecord, ipnsName, type Cid } from '@openregistry/dag'
import { createSeal, writeSnapshot, type SnapshotCounts, type WrittenSnapshot } from '@openregistry/ipfs'
import type { Config } from '@openregistry/server/config'
import { openKeysFile, sealPurpose, snapshotPurpose } from '@openregistry/server/keys'
import { silentLogger } from '@openregistry/server/log'
import { CommandError, exitCodes } from '../exit-codes.ts'
import { openDataPorts } from '../open-ports.ts'
import { formatBytes, formatCount } from '../terminal/amounts.ts'
import { printJson, say } from '../terminal/print.ts'
import { CarWriter } from './car-writer.ts'
import { openEarlier } from './earlier-snapshots.ts'

/** Options of `backup --ipfs`. */
export interface SnapshotBackupOptions {
  all?: boolean
  encrypt?: boolean
  withBlobs?: boolean
  /** `true` without an address. */
  pin?: string | boolean
  /** Earlier snapshots whose blocks are left out: files of CARs, or CIDs. */
  since?: string[]
  json?: boolean
}

/** How long the name of snapshots leads to one: it has to, when there is nobody left who could renew it. */
const recordLifetime = 2 * 365 * 24 * 3_600_000

/** How long whoever has looked it up need not do so again, in milliseconds. */
const recordTtl = 3_600_000

/**
 * `openregistry backup --ipfs`: the metadata as a signed DAG, in a CAR, pinned on Kubo, or both.
 * @param file the CAR; without it the snapshot is only pinned.
 * @throws CommandError when the options contradict each other, or content could not be read.
 */
export async function backupSnapshot(
  config: Config,
  file: string | undefined,
  options: SnapshotBackupOptions,
): Promise<void> {
  const api = await requireSense(config, file, options)
  await using opened = new AsyncDisposableStack()
  const ports = await openDataPorts(config, opened)
  const keys = await openKeysFile(config.keys.file, silentLogger)
  const { publicKey, privateKey } = keys.signingKey(snapshotPurpose)
  const signed = (message: Uint8Array): Uint8Array => sign(null, message, privateKey)
  const path = file === undefined ? await temporaryCar(config, opened) : resolve(file)
  const isSealed = options.all === true || options.encrypt === true
  const seal = isSealed ? createSeal(keys.derive(sealPurpose)) : null
  const earlier = await openEarlier(options.since ?? [], { config, keys, seal, opened })
  const bases = earlier?.bases ?? []
  const car = opened.use(await CarWriter.create(path, bases))
  const snapshot = await writeSnapshot(ports, {
    ...{ scope: options.all === true ? 'all' : 'public', withBlobs: options.withBlobs === true, publicKey },
    ...{ seal, sign: signed },
    ...(earlier === null ? {} : { earlier: earlier.blocks }),
    put: (block) => car.add(block),
    ...(options.json === true ? {} : { onRepository: progress() }),
  })
  await car.finish(snapshot.root)
  const { root, createdAt } = snapshot
  const name = ipnsName(publicKey)
  const value = { value: `/ipfs/${root}`, sequence: createdAt, ttl: recordTtl }
  const record = encodeIpnsRecord({ ...value, validUntil: createdAt + recordLifetime }, signed)
  const source = () => createReadStream(path, { highWaterMark: 1024 * 1024 })
  const pinned =
    api === null ? null : await pinSnapshot(api, { root, size: car.size, car: source, ipns: name, record })
  report({
    ...{ snapshot, name, sealed: isSealed, file: file === undefined ? null : path, size: car.size },
    bases,
    ...{
      pinnedAt: pinned === null ? null : api!.apiUrl,
      unpinned: pinned?.unpinned ?? [],
      named: pinned?.named ?? false,
      json: options.json === true,
    },
  })
}

/** @returns the Kubo node that is to pin it, or null. */
async function requireSense(
  { dfs: { ipfs } }: Config,
  file: string | undefined,
  { all, encrypt, withBlobs, pin, since = [] }: SnapshotBackupOptions,
): Promise<{ apiUrl: string; apiToken: string | null } | null> {
  const usage = (message: string) => new CommandError(message, { exitCode: exitCodes.usage })
  const isPinned = pin !== undefined && pin !== false
  if (since.length > 0 && (file === undefined || isPinned)) {
    throw usage(
      '--since is for a file. A node is given the whole snapshot, and keeps once what it shares with others: leave out --since, or --pin.',
    )
  }
  for (const one of since) {
    if (file !== undefined && (await isSameFile(file, one)))
      throw usage(`${one} cannot go on from itself: it would be written over. Name another file.`)
  }
  if (withBlobs === true && (all === true || encrypt === true)) {
    throw usage(
      '--with-blobs writes blobs as they are, for everybody to read; leave out --all and --encrypt.',
    )
  }
  if (!isPinned) {
    if (file === undefined) throw usage('name a file for the snapshot, or --pin it on a Kubo node.')
    return null
  }
  if (typeof pin === 'string') {
    if (!URL.canParse(pin)) throw usage(`${pin} is no address; write it like http://127.0.0.1:5001.`)
    return { apiUrl: pin, apiToken: pin === ipfs.api_url ? ipfs.api_token : null }
  }
  if (ipfs.api_url === null)
    throw usage('no Kubo node is configured (dfs.ipfs.api_url); name one: --pin http://127.0.0.1:5001')
  return { apiUrl: ipfs.api_url, apiToken: ipfs.api_token }
}

async function isSameFile(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([one, other].map((path) => stat(path).catch(() => null)))
  return a != null && b != null && a.dev === b.dev && a.ino === b.ino
}

/** A CAR that is only there until it is pinned. */
async function temporaryCar({ data_dir: data }: Config, opened: AsyncDisposableStack): Promise<string> {
  const folder = join(data, 'snapshots')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, `${process.pid}.car`)
  opened.defer(() => rm(path, { force: true }))
  return path
}

/** On a terminal one line that changes. */
function progress(): (name: string, counts: SnapshotCounts) => void {
  return (name, { repositories, manifests }) => {
    if (!process.stderr.isTTY) return
    const line = `${formatCount(repositories, 'repository', 'repositories')}, ${formatCount(manifests, 'manifest')}: ${name}`
    process.stderr.write(`\r\x1b[K${line.slice(0, (process.stderr.columns ?? 80) - 1)}`)
  }
}

interface Report {
  snapshot: WrittenSnapshot
  name: string
  sealed: boolean
  file: string | null
  size: number
  /** Snapshots that it goes on from. */
  bases: readonly Cid[]
  pinnedAt: string | null
  unpinned: string[]
  /** Whether Kubo answers for the name. */
  named: boolean
  json: boolean
}

function report({ snapshot, json, ...rest }: Report): void {
  const { root, createdAt, unreadable, ...counts } = snapshot
  const { name, sealed, file, size, bases, pinnedAt, named } = rest
  if (json) {
    printJson({
      snapshot: root,
      createdAt: new Date(createdAt).toISOString(),
      ...rest,
      ...counts,
      unreadable,
    })
  } else {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
    const what = [
      formatCount(counts.repositories, 'repository', 'repositories'),
      formatCount(counts.tags, 'tag'),
      formatCount(counts.manifests, 'manifest'),
      formatCount(counts.blobs, 'blob'),
    ]
    say(`Snapshot ${root}${sealed ? ', sealed' : ''}: ${what.join(', ')}.`)
    if (file !== null) say(`${file}: ${formatBytes(size)}.`)
    if (bases.length > 0) {
      const earlier = formatCount(bases.length, 'earlier snapshot')
      say(
        `It holds what is new since ${earlier}: a restore needs ${bases.length === 1 ? 'that' : 'those'}, too.`,
      )
    }
    if (pinnedAt !== null) {
      const answers = named
        ? `which answers for /ipns/${name}.`
        : 'which keeps no records of names (Routing.Type): note the CID.'
      say(`Pinned on the Kubo node ${pinnedAt}, ${answers}`)
    }
    if (counts.blobsElsewhere > 0) {
      say(
        `${formatCount(counts.blobsElsewhere, 'blob')} of backends are named by CID; a restore fetches them from IPFS.`,
      )
    }
    say(
      `It is signed with the key ${name}. Keep the keys file elsewhere: it has that key, and the names of all repositories.`,
    )
  }
  if (unreadable.length === 0) return
  const [{ repository, digest }] = unreadable as [WrittenSnapshot['unreadable'][number]]
  throw new CommandError(
    `the content of ${formatCount(unreadable.length, 'blob or manifest', 'blobs and manifests')} could not be read (the first: ${repository}@${digest}). All else is in the snapshot. "openregistry scrub" says which images to push again.`,
  )
}
