import type { JobKind } from '../jobs/job-kind.ts'
import type { BlobStore } from '../ports/blob-store.ts'
import type { DueLayout } from '../ports/ipfs.ts'
import { pinsLayouts, type PinsLayouts } from '../ports/layout-pins.ts'
import type { Milliseconds } from '../ports/metadata-store.ts'
import type { Ports } from '../settings.ts'
import { placementOf } from '../placement/rules.ts'
import { layoutBlocks } from './layout-blocks.ts'

/** What is needed to pin layouts. */
export type PinPorts = Pick<Ports, 'metadata' | 'hasher' | 'backends' | 'settings'>

/** What a run did, in pins. */
export interface PinnedLayouts {
  pinned: number
  /** Let go, since nobody shows such an image to everybody any more. */
  unpinned: number
}

type Pinning = BlobStore & PinsLayouts

/** Layouts, or pins, that are looked at together. */
const batch = 100

/** After this long it is looked again whether a pin is there. */
const trusted: Milliseconds = 24 * 3_600_000

/** After this long it is looked again whether a layout can be pinned: whether its blobs were moved to where it can be. */
const lookAgain: Milliseconds = 3_600_000

/** After this long a layout has its next turn that could not be pinned because something went wrong. */
const tryAgain: Milliseconds = 300_000

/** How long a pin stays that nobody needs, at most. */
const unseenFor: Milliseconds = 600_000

/**
 * Has backends on IPFS hold the layouts of public images whose blobs they have, so that these images can be fetched from
 * there whole without this registry; and lets go what is not public any more. Each backend is asked about each layout
 * once a day, so what a killed run has left, or somebody has unpinned, is mended. What may not be in public backends is not pinned there.
 * @throws RegistryError the first fault of a backend; the layout that met it has its next turn later.
 */
export async function pinLayouts(ports: PinPorts, signal?: AbortSignal): Promise<PinnedLayouts> {
  const backends = [...ports.backends.values()].filter((backend) => pinsLayouts(backend))
  const done: PinnedLayouts = { pinned: 0, unpinned: 0 }
  for (const backend of backends) done.unpinned += await unpinUnwanted(ports, backend, signal)
  for (;;) {
    const due = backends.length === 0 ? [] : await ports.metadata.listDueLayouts(batch)
    for (const layout of due) {
      if (signal?.aborted === true) return done
      done.pinned += await pinOne(ports, backends, layout)
    }
    if (due.length < batch) return done
  }
}

async function pinOne(ports: PinPorts, backends: readonly Pinning[], layout: DueLayout): Promise<number> {
  const { metadata } = ports
  let pinned = 0
  try {
    let complete = true
    for (const backend of backends) {
      const outcome = await pinAt(ports, backend, layout)
      pinned += Number(outcome === 'pinned')
      complete &&= outcome !== 'impossible'
    }
    await metadata.postponeLayouts([layout.id], complete ? trusted : lookAgain)
  } catch (error) {
    await metadata.postponeLayouts([layout.id], tryAgain)
    throw error
  }
  return pinned
}

async function pinAt(
  ports: PinPorts,
  backend: Pinning,
  { repository, confined, digest, root }: DueLayout,
): Promise<'there' | 'pinned' | 'impossible'> {
  const { backend: name, public: open } = backend
  if (repository === null || (open && confined)) return 'impossible'
  const { metadata } = ports
  const blocks = await layoutBlocks(ports, { repository: repository.name, digest, root, backend: name })
  if (blocks === null) return 'impossible'
  // The row comes first: whatever happens from here on, the pin is found by it, and its repository does not become private.
  const rules = placementOf(ports)
  const begun = await metadata.beginLayoutPin({ repositoryId: repository.id, backend: name, root, rules })
  if (!begun) return 'impossible'
  const isThere = await backend.hasLayout(root)
  if (!isThere) await backend.pinLayout(blocks)
  if (await metadata.endLayoutPin(name, root, { open })) return isThere ? 'there' : 'pinned'
  await unpin(ports, backend, root)
  return 'impossible'
}

async function unpinUnwanted(ports: PinPorts, backend: Pinning, signal?: AbortSignal): Promise<number> {
  const { metadata } = ports
  const page = { open: backend.public, unseenFor, limit: batch }
  let unpinned = 0
  for (;;) {
    const pins = await metadata.listLayoutPins(backend.backend, page)
    for (const { root } of pins.filter(({ wanted }) => !wanted)) {
      if (signal?.aborted === true) return unpinned
      await unpin(ports, backend, root)
      unpinned++
    }
    await metadata.seenLayoutPins(
      backend.backend,
      pins.filter(({ wanted }) => wanted).map(({ root }) => root),
    )
    if (pins.length < batch) return unpinned
  }
}

async function unpin({ metadata }: PinPorts, backend: Pinning, root: Uint8Array): Promise<void> {
  await backend.unpinLayout(root)
  await metadata.forgetLayoutPin(backend.backend, root)
}

/** Does so a few seconds after layouts were stored. */
export function pinLayoutsJob(ports: PinPorts): JobKind {
  return {
    name: 'registry.layout_pins',
    event: 'layouts_pinned',
    period: 10_000,
    attempts: 10,
    async run({ signal }) {
      const done = await pinLayouts(ports, signal)
      return done.pinned + done.unpinned === 0 ? null : { ...done }
    },
  }
}
