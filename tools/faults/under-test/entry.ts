import { setTimeout as delay } from 'node:timers/promises'
import { createNodeFiles } from '@openregistry/blobs'
import { listsUploads, pinsLayouts, type BlobStore, type Lists, type MetadataStore } from '@openregistry/core'
import { loadConfig } from '@openregistry/server/config'
import { openLog } from '@openregistry/server/log'
import { faultBlobStore, type FaultyBlobStore } from '@openregistry/testkit'
import { startRegistry, type Layers } from '../../../apps/openregistry/src/composition.ts'
import { journalledFiles } from './journalled-files.ts'
import { doChore } from './chores.ts'
import type { BackendFault, Chore, Message, Request } from './messages.ts'
import { Points } from './points.ts'
import { skewClock } from './skewed-clock.ts'

/*
 * The registry as it is served, in a process of its own: the composition root with the configuration of the environment,
 * and layers around its stores in which the harness sets traps.
 */

const {
  FAULT_HARNESS_JOURNAL: journal,
  FAULT_HARNESS_GRAVEYARD: graveyard,
  FAULT_HARNESS_CLOCK: skew = '0',
  ...env
} = process.env
if (journal === undefined || graveyard === undefined) throw new Error('The harness starts this program.')
if (skew !== '0') skewClock(Number(skew))

const tell = (message: Message): void => void process.send?.(message)
const points = new Points((point) => tell({ tell: 'trapped', point }))
let backend: FaultyBlobStore | null = null
let blobs: BlobStore | null = null
let metadata: MetadataStore | null = null

const layers: Layers = {
  files: journalledFiles(createNodeFiles(), journal, graveyard),
  blobs: (store) => {
    backend = faultBlobStore(store)
    return (blobs = points.around(withAbilities(backend, store), 'blobs', 'STORAGE_UNAVAILABLE'))
  },
  metadata: (store) => (metadata = points.around(store, 'metadata', 'METADATA_UNAVAILABLE')),
}

const config = await loadConfig({ env, cwd: process.cwd() })
const log = await openLog({ level: config.log.level, format: 'json', terminal: false, color: false })
process.on('uncaughtException', (error, origin) => {
  log.error('fault', { error, origin })
  void log.flush().finally(() => process.exit(70))
})
const running = await startRegistry(config, log, layers)
process.on('message', (request: Request & { id: number }) => {
  answer(request).then(
    (value) => tell({ tell: 'answer', id: request.id, value }),
    (error: unknown) => tell({ tell: 'answer', id: request.id, error: String(error) }),
  )
})
// A harness that is gone wants nothing any more.
process.on('disconnect', () => process.exit(0))
tell({ tell: 'ready', origin: running.addresses[0] ?? '' })

async function answer(request: Request): Promise<unknown> {
  switch (request.ask) {
    case 'trap':
      return points.set(request.trap)
    case 'backend':
      return switchBackend(request.faults)
    case 'housekeeping':
      return chore(request.chore)
    case 'stop':
      return stop()
  }
}

async function chore(which: Chore): Promise<unknown> {
  if (blobs === null || metadata === null) throw new Error('The stores are not open.')
  return doChore(which, config, { blobs, metadata })
}

async function stop(): Promise<void> {
  await running.stop()
  await log.flush()
  process.exit(0)
}

function switchBackend({ slow = 0, ...faults }: BackendFault): void {
  if (backend === null) return
  Object.assign(backend.faults, faults, { beforeChunk: slow === 0 ? null : () => delay(slow) })
}

/** What a store can do besides, on the one around it. */
function withAbilities<T extends BlobStore>(around: T, store: BlobStore & Lists): T & Lists {
  const others = {
    ...(listsUploads(store) ? { listUploads: store.listUploads.bind(store) } : {}),
    ...(pinsLayouts(store)
      ? {
          pinLayout: store.pinLayout.bind(store),
          unpinLayout: store.unpinLayout.bind(store),
          hasLayout: store.hasLayout.bind(store),
        }
      : {}),
  }
  return Object.assign(around, { list: store.list.bind(store), ...others })
}
