import { isForEverybody } from '../access/for-everybody.ts'
import type { JobKind } from '../jobs/job-kind.ts'
import { eachOf } from '../placement/each-of.ts'
import type { DueRoot } from '../ports/ipfs.ts'
import type { Milliseconds } from '../ports/metadata-store.ts'
import type { Announcement, PeerNetwork } from '../ports/peer-network.ts'
import type { Ports } from '../settings.ts'

/** How long peers remember what they were told (libp2p, "kad-dht"; some of them half of it). */
export const announcementLifetime: Milliseconds = 48 * 3_600_000

/** After about this long they are told again, so that nobody has forgotten. */
const interval: Milliseconds = 22 * 3_600_000

/** After this long it is looked again whether a root is wanted that was not: whether the image has a tag now. */
const lookAgain: Milliseconds = 600_000

/** Roots that are looked at together. */
const batch = 100

/** Roots that are announced at the same time. */
const parallel = 4

/** So many roots one after the other of which nobody takes note mean that it is not for the roots. */
const silentAtMost = 2 * parallel

/** What is needed to announce. */
export interface AnnouncePorts extends Pick<Ports, 'metadata'> {
  network: PeerNetwork
  /** Told what came of each announcement. */
  observe(outcome: Announcement): void
}

/** What a run did, in roots. */
export interface AnnouncedRoots {
  announced: number
  /** Of which nobody took note. */
  unanswered: number
}

/**
 * Tells the network of the roots of public images with a tag, and of the directories of public repositories, as far as it is
 * time to. Whether everybody may see a root is asked right before anybody is told, by the rule that all surfaces ask. When each
 * was announced is noted, so a run that is killed, or a restart, begins where the one before has ended.
 * @throws Error when no peer takes note of anything: it is tried again later.
 */
export async function announceRoots(ports: AnnouncePorts, signal?: AbortSignal): Promise<AnnouncedRoots> {
  const done: AnnouncedRoots = { announced: 0, unanswered: 0 }
  let silent = 0
  // In turns, so that neither waits for hours behind very many of the other kind.
  for (let more = true; more;) {
    more = false
    for (const kind of ['layouts', 'directories'] as const) {
      const due = await ports.metadata.listDueRoots(kind, batch)
      // All at once: a registry has far more images without a tag than with one, and looks at them all day.
      const idle = due.filter(({ wanted }) => !wanted).map(({ of }) => of)
      if (idle.length > 0) await ports.metadata.postponeRoots(idle, lookAgain)
      await eachOf(withoutEqual(due), parallel, async (root) => {
        if (signal?.aborted === true) return
        const outcome = await announceOne(ports, root, signal)
        if (outcome === 'announced') [silent, done.announced] = [0, done.announced + 1]
        if (outcome === 'unanswered') [silent, done.unanswered] = [silent + 1, done.unanswered + 1]
        if (silent > silentAtMost) throw new Error('No peer takes note of what is announced.')
      })
      if (signal?.aborted === true) return done
      more ||= due.length === batch
    }
  }
  return done
}

async function announceOne(
  { metadata, network, observe }: AnnouncePorts,
  { of, root }: DueRoot,
  signal: AbortSignal | undefined,
): Promise<Announcement> {
  const mayTell = async (): Promise<boolean> => {
    const node = await metadata.findPublicNode(root)
    return node !== null && isForEverybody(node.repository)
  }
  const outcome = await network.announce(root, { mayTell, signal })
  observe(outcome)
  const announced = outcome === 'announced'
  // Spread, so that what was announced together does not stay together for ever.
  const again = announced ? interval * (0.95 + Math.random() / 10) : lookAgain
  await metadata.endAnnouncement({ of, root, announced, again: Math.round(again) })
  return outcome
}

/** Those that are wanted. Equal images of several repositories have one layout, of which the network is told once. */
function withoutEqual(due: readonly DueRoot[]): DueRoot[] {
  const seen = new Set<string>()
  return due.filter(({ root, wanted }) => wanted && seen.size < seen.add(root.toHex()).size)
}

/** Does so a few seconds after roots were stored, and whenever it is time to tell of some again. */
export function announceJob(ports: AnnouncePorts): JobKind {
  return {
    name: 'registry.announcements',
    event: 'roots_announced',
    period: 10_000,
    attempts: 10,
    async run({ signal }) {
      const done = await announceRoots(ports, signal)
      return done.announced + done.unanswered === 0 ? null : { ...done }
    },
  }
}
