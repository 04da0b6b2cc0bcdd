import { createHash } from 'node:crypto'
import type { RepositoryName } from '@openregistry/oci'
import { describe, expect, test } from 'vitest'
import type { DueRoot, EndAnnouncement, PublicNode } from '../ports/ipfs.ts'
import type { MetadataStore } from '../ports/metadata-store.ts'
import type { AnnounceOptions, Announcement } from '../ports/peer-network.ts'
import { announceRoots } from './announce-roots.ts'

const hour = 3_600_000
const rootOf = (number: number): Uint8Array => createHash('sha256').update(`root ${number}`).digest()

/** Roots that are due, in place of a database, and a network that does what a test says. */
class Scene {
  readonly due = { layouts: [] as DueRoot[], directories: [] as DueRoot[] }
  readonly ended: EndAnnouncement[] = []
  /** How many roots were put off, each time. */
  readonly postponed: number[] = []
  readonly outcomes: Announcement[] = []
  readonly announced: Uint8Array[] = []
  /** Asked about every root, by what is in the database at that moment. */
  isPublic: (root: Uint8Array) => boolean = () => true
  /** What becomes of an announcement that is made; by default it asks whether it may, as it should. */
  network = async (_: Uint8Array, { mayTell }: AnnounceOptions): Promise<Announcement> =>
    (await mayTell()) ? 'announced' : 'withdrawn'

  constructor(layouts: number, directories = 0) {
    for (let id = 0; id < layouts; id++) this.layout(id)
    for (let id = 0; id < directories; id++) {
      this.due.directories.push({ of: { directory: String(id) }, root: rootOf(1000 + id), wanted: true })
    }
  }

  layout(id: number, { root = rootOf(id), wanted = true } = {}): void {
    this.due.layouts.push({ of: { layout: id }, root, wanted })
  }

  run(signal?: AbortSignal) {
    const node = (root: Uint8Array): PublicNode => ({
      repository: {
        id: 'one',
        name: 'me/app' as RepositoryName,
        visibility: this.isPublic(root) ? 'public' : 'private',
      },
      bytes: new Uint8Array(),
    })
    type Used = 'listDueRoots' | 'postponeRoots' | 'endAnnouncement' | 'findPublicNode'
    const metadata: Pick<MetadataStore, Used> = {
      listDueRoots: (of, limit) => Promise.resolve(this.due[of].slice(0, limit)),
      postponeRoots: (roots, delay) => {
        expect(delay).toBeLessThan(hour)
        this.postponed.push(roots.length)
        this.due.layouts = this.due.layouts.filter(({ of }) => !roots.includes(of))
        this.due.directories = this.due.directories.filter(({ of }) => !roots.includes(of))
        return Promise.resolve()
      },
      endAnnouncement: (input) => {
        this.ended.push(input)
        const isOther = ({ of, root }: DueRoot): boolean =>
          JSON.stringify(of) !== JSON.stringify(input.of) &&
          !(input.announced && Buffer.from(root).equals(input.root))
        this.due.layouts = this.due.layouts.filter(isOther)
        this.due.directories = this.due.directories.filter(isOther)
        return Promise.resolve()
      },
      findPublicNode: (root) => Promise.resolve(node(root)),
    }
    const network = {
      announce: (root: Uint8Array, options: AnnounceOptions) => {
        this.announced.push(root)
        return this.network(root, options)
      },
    }
    const observe = (outcome: Announcement): void => void this.outcomes.push(outcome)
    return announceRoots({ metadata: metadata as MetadataStore, network, observe }, signal)
  }
}

const hours = ({ again }: EndAnnouncement): number => again / hour

describe('what is due', () => {
  test('is announced once, however much there is, and is due again after a bit less than a day', async () => {
    const scene = new Scene(250, 120)
    expect(await scene.run()).toEqual({ announced: 370, unanswered: 0 })
    expect(new Set(scene.announced.map((root) => root.toHex())).size).toBe(370)
    expect(scene.ended).toHaveLength(370)
    for (const end of scene.ended) {
      expect(end.announced).toBe(true)
      expect(hours(end)).toBeGreaterThan(20)
      expect(hours(end)).toBeLessThan(24)
    }
    expect(new Set(scene.ended.map(hours)).size).toBeGreaterThan(300)
    expect(await scene.run()).toEqual({ announced: 0, unanswered: 0 })
  })

  test('of the one kind does not wait for all of the other', async () => {
    const scene = new Scene(500, 1)
    await scene.run()
    const at = scene.announced.findIndex((root) => Buffer.from(root).equals(rootOf(1000)))
    expect(at).toBeLessThan(200)
  })

  test('of equal images is announced once for all', async () => {
    const scene = new Scene(0)
    for (let id = 0; id < 120; id++) scene.layout(id, { root: rootOf(7) })
    expect(await scene.run()).toEqual({ announced: 1, unanswered: 0 })
    expect(scene.announced).toEqual([rootOf(7)])
  })

  test('and not wanted is not even looked at, and gets its turn again soon', async () => {
    const scene = new Scene(1)
    scene.layout(1, { wanted: false })
    for (let id = 2; id < 130; id++) scene.layout(id, { root: rootOf(2), wanted: false })
    expect(await scene.run()).toEqual({ announced: 1, unanswered: 0 })
    expect(scene.announced).toEqual([rootOf(0)])
    expect(scene.ended).toHaveLength(1)
    // One step for many of them: there may be very many.
    expect(scene.postponed).toEqual([99, 30])
    expect(scene.outcomes).toEqual(['announced'])
  })

  test('is announced a few at a time', async () => {
    const scene = new Scene(20)
    let [running, most] = [0, 0]
    scene.network = async () => {
      most = Math.max(most, ++running)
      await Promise.resolve()
      running--
      return 'announced'
    }
    await scene.run()
    expect(most).toBe(4)
  })
})

describe('what is not public any more', () => {
  test('when its turn comes, although it was listed, is withdrawn', async () => {
    const scene = new Scene(3)
    scene.isPublic = (root) => !Buffer.from(root).equals(rootOf(1))
    expect(await scene.run()).toEqual({ announced: 2, unanswered: 0 })
    expect(scene.outcomes.toSorted()).toEqual(['announced', 'announced', 'withdrawn'])
    expect(scene.ended.find(({ of }) => 'layout' in of && of.layout === 1)?.announced).toBe(false)
  })

  test('while peers are looked for is asked about again each time', async () => {
    const scene = new Scene(1)
    const answers: boolean[] = []
    scene.network = async (_, { mayTell }) => {
      answers.push(await mayTell())
      scene.isPublic = () => false
      answers.push(await mayTell())
      return 'withdrawn'
    }
    await scene.run()
    expect(answers).toEqual([true, false])
  })
})

describe('a network that is not there', () => {
  test('is not asked for ever: the run fails, and what is left keeps its turn', async () => {
    const scene = new Scene(50)
    scene.network = () => Promise.resolve('unanswered')
    await expect(scene.run()).rejects.toThrow('No peer takes note')
    expect(scene.announced.length).toBeLessThan(20)
    expect(scene.ended.every(({ announced, again }) => !announced && again < hour)).toBe(true)
    expect(scene.due.layouts.length).toBeGreaterThan(30)
  })

  test('for some roots holds up no others', async () => {
    const scene = new Scene(50)
    scene.network = (root) => Promise.resolve(root[0]! % 2 === 0 ? 'unanswered' : 'announced')
    const { announced, unanswered } = await scene.run()
    expect(announced + unanswered).toBe(50)
    expect(scene.outcomes).toHaveLength(50)
  })

  test('at all is said as it is', async () => {
    const scene = new Scene(5)
    scene.network = () => Promise.reject(new Error('None of the bootstrap nodes can be reached.'))
    await expect(scene.run()).rejects.toThrow('None of the bootstrap nodes')
    expect(scene.ended).toEqual([])
  })

  test('any more when the process stops: nothing new is begun', async () => {
    const scene = new Scene(300)
    const stop = new AbortController()
    scene.network = () => {
      if (scene.announced.length === 10) stop.abort()
      return Promise.resolve('announced')
    }
    await scene.run(stop.signal)
    expect(scene.announced.length).toBeLessThan(15)
  })
})
