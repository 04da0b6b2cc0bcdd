import { authorizationOf } from '@openregistry/blobs'
import { cidParts, type Cid } from '@openregistry/dag'
import {
  BlockMissing,
  earlierBlocks,
  findBlockOf,
  kuboSource,
  openSnapshot,
  SnapshotError,
  type EarlierBlocks,
  type Seal,
} from '@openregistry/ipfs'
import type { Config } from '@openregistry/server/config'
import type { Keys } from '@openregistry/server/keys'
import { CommandError, exitCodes } from '../exit-codes.ts'
import { parseSnapshotAddress } from '../restore/find-snapshot.ts'
import { trustedKey } from '../restore/trusted-key.ts'
import { lackingFor } from './car-chain.ts'
import { CarFile } from './car-file.ts'

/** Snapshots from which another one goes on. */
export interface EarlierSnapshots {
  blocks: EarlierBlocks
  /** All of them: whoever has the next alone can be told by it what is missing. */
  bases: readonly Cid[]
}

/** How earlier snapshots are found and believed. */
interface Search {
  config: Config
  keys: Keys
  /** Of the snapshot that is to be written; null: it is open. */
  seal: Seal | null
  opened: AsyncDisposableStack
}

/**
 * Opens what `--since` names: CARs, and CIDs of snapshots that the configured Kubo node keeps.
 * @throws CommandError when one is no snapshot of this registry, or goes on from another that was not named.
 */
export async function openEarlier(
  texts: readonly string[],
  search: Search,
): Promise<EarlierSnapshots | null> {
  if (texts.length === 0) return null
  const cars: CarFile[] = []
  const pinned: Cid[] = []
  for (const text of texts) {
    const address = await parseSnapshotAddress(text)
    if (address.kind === 'file') cars.push(search.opened.use(await CarFile.open(address.path)))
    else if (address.kind === 'cid') pinned.push(address.cid)
    else throw usage(`--since takes the file of a CAR or the CID of a snapshot; ${text} is a name.`)
  }
  for (const { root, name } of cars) await requireAlike(name, root, cars, search)
  const walked: EarlierBlocks[] = []
  for (const cid of pinned) {
    const sources = [keptBy(search.config)]
    await requireAlike(cid, cid, sources, search)
    walked.push(await explained(cid, (fetchBlock) => earlierBlocks(cid, fetchBlock, never), sources))
  }
  const bases = [...new Set([...cars.map(({ root }) => root), ...pinned])]
  const lacking = bases.flatMap((root) => lackingFor(root, cars)).find(({ base }) => !pinned.includes(base))
  if (lacking !== undefined) {
    throw usage(`${lacking.car} goes on from the snapshot ${lacking.base}: name that one with --since, too.`)
  }
  return { blocks: together([...cars.map(blocksIn), ...walked]), bases }
}

const never = new AbortController().signal

/** Both are of this registry, and both are sealed or neither: else they have no block in common. */
async function requireAlike(
  name: string,
  root: Cid,
  sources: Parameters<typeof findBlockOf>[0],
  { keys, seal }: Search,
): Promise<void> {
  const trust = trustedKey({ named: undefined, followed: null }, keys)
  const open = (fetchBlock: Parameters<typeof earlierBlocks>[1]) =>
    openSnapshot({ root, trust, fetchBlock, seal: seal ?? { open: same, close: same } }, never)
  const { sealed } = await explained(name, open, sources)
  if (sealed === (seal !== null)) return
  throw usage(
    sealed
      ? `${name} is sealed and this snapshot would be open: they share nothing. Add --encrypt or --all, or leave out --since.`
      : `${name} is open and this snapshot would be sealed: they share nothing. Leave out --since.`,
  )
}

const same = (bytes: Uint8Array): Uint8Array => bytes

async function explained<T>(
  name: string,
  read: (fetchBlock: Parameters<typeof earlierBlocks>[1]) => Promise<T>,
  sources: Parameters<typeof findBlockOf>[0],
): Promise<T> {
  try {
    return await read((cid, signal) => findBlockOf(sources, cid, signal))
  } catch (cause) {
    if (!(cause instanceof SnapshotError) && !(cause instanceof BlockMissing)) throw cause
    throw new CommandError(`${name} cannot be gone on from. ${cause.message}`, { cause })
  }
}

function keptBy({ dfs: { ipfs } }: Config): ReturnType<typeof kuboSource> {
  if (ipfs.api_url !== null) return kuboSource(ipfs.api_url, authorizationOf(ipfs.api_token))
  throw usage(
    'a CID after --since is looked for in the configured Kubo node (dfs.ipfs.api_url); name its CAR.',
  )
}

/** Whatever stands in the CAR of a snapshot stands there, or in those that it goes on from, with everything below it. */
function blocksIn(car: CarFile): EarlierBlocks {
  return {
    has: (cid) => car.codecOf(cid) !== null,
    hasBelow: (cid) => car.codecOf(cid) === cidParts(cid).codec,
  }
}

function together(all: readonly EarlierBlocks[]): EarlierBlocks {
  return {
    has: (cid) => all.some((one) => one.has(cid)),
    hasBelow: (cid) => all.some((one) => one.hasBelow(cid)),
  }
}

function usage(message: string): CommandError {
  return new CommandError(message, { exitCode: exitCodes.usage })
}
