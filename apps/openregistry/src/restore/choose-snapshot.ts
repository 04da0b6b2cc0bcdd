import type { BlockSource } from '@openregistry/core'
import type { Cid } from '@openregistry/dag'
import {
  BlockMissing,
  createSeal,
  findBlockOf,
  openSnapshot,
  SnapshotError,
  type NamedSource,
  type Snapshot,
} from '@openregistry/ipfs'
import { sealPurpose, type Keys } from '@openregistry/server/keys'
import { CommandError, exitCodes } from '../exit-codes.ts'
import { lackingFor, newestOf } from '../snapshot/car-chain.ts'
import { CarFile } from '../snapshot/car-file.ts'
import { resolveName, type SnapshotAddress } from './find-snapshot.ts'
import { trustedKey, type TrustedKey } from './trusted-key.ts'

/** Where a snapshot is looked for, and who is believed. */
export interface Search {
  keys: Keys | null
  remote: readonly NamedSource[]
  /** The key that was named. */
  named: string | undefined
  signal: AbortSignal
  opened: AsyncDisposableStack
}

/** What names one snapshot: a CID, a name, or the CARs alone. */
type Named = Exclude<SnapshotAddress, { kind: 'file' }> | null

/**
 * The snapshot that is meant, once it is known to be of the trusted key. Of several CARs it is the one from which no other
 * goes on, unless a CID or a name says which.
 * @throws CommandError when none is meant or several are, nobody has it, or what it goes on from.
 */
export async function chooseSnapshot(
  addresses: readonly SnapshotAddress[],
  search: Search,
): Promise<Snapshot> {
  const { keys, remote, named: key, signal, opened } = search
  const named = onlyNamed(addresses)
  const trust = trustedKey({ named: key, followed: named?.kind === 'name' ? named.name : null }, keys)
  const cars: CarFile[] = []
  for (const address of addresses)
    if (address.kind === 'file') cars.push(opened.use(await CarFile.open(address.path)))
  const sources: BlockSource[] = [...cars, ...remote]
  const root = await rootOf(named, cars, remote, trust)
  try {
    const snapshot = await openSnapshot(
      {
        ...{ root, trust },
        fetchBlock: (cid, stop) => findBlockOf(sources, cid, stop),
        seal: keys === null ? null : createSeal(keys.derive(sealPurpose)),
      },
      signal,
    )
    await requireBases(root, cars, search)
    return snapshot
  } catch (error) {
    throw explained(error)
  }
}

/** What is wrong with a snapshot, or with all who were asked, is no fault of this program. */
export function explained(error: unknown): unknown {
  if (!(error instanceof SnapshotError) && !(error instanceof BlockMissing)) return error
  return new CommandError(error.message, { cause: error })
}

function onlyNamed(addresses: readonly SnapshotAddress[]): Named {
  const [named = null, another] = addresses.filter((address) => address.kind !== 'file')
  if (another !== undefined)
    throw usage('name one snapshot by its CID or its name; all else are files of CARs.')
  return named
}

async function rootOf(
  named: Named,
  cars: readonly CarFile[],
  remote: readonly NamedSource[],
  trust: TrustedKey,
): Promise<Cid> {
  if (named !== null) return named.kind === 'cid' ? named.cid : resolveName(named.name, remote, trust)
  const newest = new Map(newestOf(cars).map((car) => [car.root, car.name]))
  const [root] = newest.keys()
  if (root !== undefined && newest.size === 1) return root
  const listed = [...newest].map(([cid, name]) => `${cid} (${name})`).join(', ')
  throw usage(
    `these files do not go on from each other, so they are several snapshots: ${listed}. Write the CID of the one that is meant before the files.`,
  )
}

/** Blocks of what a CAR goes on from are in other files, or somebody else gives them. */
async function requireBases(root: Cid, cars: readonly CarFile[], { remote, signal }: Search): Promise<void> {
  for (const { car, base } of lackingFor(root, cars)) {
    try {
      await findBlockOf(remote, base, signal)
    } catch (cause) {
      if (!(cause instanceof BlockMissing)) throw cause
      throw new CommandError(
        `${car} holds what is new since the snapshot ${base}, which is in no file that was given, and nobody else gives it. Name its CAR, too.`,
        { cause },
      )
    }
  }
}

function usage(message: string): CommandError {
  return new CommandError(message, { exitCode: exitCodes.usage })
}
