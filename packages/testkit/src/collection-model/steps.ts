import fc from 'fast-check'

/** One random step; the numbers choose from the world. */
export type Action =
  | { do: 'push' | 'chunk' | 'finish' | 'head' | 'hide' | 'stray'; repository: number; blob: number }
  | { do: 'mount'; repository: number; target: number; blob: number }
  /** The manifest alone, or with every blob that it needs. */
  | { do: 'put' | 'image'; repository: number; manifest: number; tags: number[] }
  | { do: 'delete' | 'restore'; repository: number; manifest: number }
  | { do: 'untag'; repository: number; tag: number }
  | { do: 'drop'; repository: number }
  | { do: 'wait'; milliseconds: number }
  /** One step of the collector: empty, manifests, links, blobs, bytes. */
  | { do: 'collect'; step: number; limit: number }
  | { do: 'collect all' }
  | { do: 'sweep' }

const of = (count: number) => fc.integer({ min: 0, max: count - 1 })
// Most steps are about one repository, so that they meet.
const repository = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: of(3) })
const blob = of(4)
const manifest = of(10)
const tag = of(4)

const onBlob = (weight: number, what: 'push' | 'chunk' | 'finish' | 'head' | 'hide' | 'stray') => ({
  weight,
  arbitrary: fc.record({ do: fc.constant(what), repository, blob }),
})

const onImage = (weight: number, what: 'put' | 'image') => ({
  weight,
  arbitrary: fc.record({
    do: fc.constant(what),
    repository,
    manifest,
    tags: fc.uniqueArray(tag, { maxLength: 2 }),
  }),
})

const onManifest = (weight: number, what: 'delete' | 'restore') => ({
  weight,
  arbitrary: fc.record({ do: fc.constant(what), repository, manifest }),
})

const action: fc.Arbitrary<Action> = fc.oneof(
  onBlob(10, 'push'),
  onBlob(6, 'chunk'),
  onBlob(3, 'finish'),
  onBlob(4, 'head'),
  onBlob(1, 'hide'),
  onBlob(1, 'stray'),
  { weight: 4, arbitrary: fc.record({ do: fc.constant('mount'), repository, target: repository, blob }) },
  onImage(8, 'image'),
  onImage(4, 'put'),
  onManifest(8, 'delete'),
  onManifest(3, 'restore'),
  { weight: 2, arbitrary: fc.record({ do: fc.constant('untag'), repository, tag }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('drop'), repository }) },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('wait'), milliseconds: fc.integer({ min: 1, max: 120 }) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('collect'),
      step: of(5),
      limit: fc.integer({ min: 1, max: 5 }),
    }),
  },
  { weight: 4, arbitrary: fc.constant({ do: 'collect all' }) },
  { weight: 2, arbitrary: fc.constant({ do: 'sweep' }) },
)

/** Random sequences of steps. */
export const sequences: fc.Arbitrary<Action[]> = fc.array(action, { maxLength: 100, size: 'max' })

const image = (manifests: readonly number[], tags: fc.Arbitrary<number[]>) =>
  fc.record({
    do: fc.constant('image' as const),
    repository: fc.constant(0),
    manifest: fc.constantFrom(...manifests),
    tags,
  })

/** Steps about manifests that belong to others, and no collection: so that there is something to take. */
export const attachments: fc.Arbitrary<Action[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: image([0, 1], fc.constant<number[]>([])) },
    {
      weight: 4,
      arbitrary: image([5, 6], fc.oneof(fc.constant<number[]>([]), fc.uniqueArray(tag, { maxLength: 1 }))),
    },
    // The last two tags say of which manifest they are.
    { weight: 2, arbitrary: image([4, 7, 9], fc.uniqueArray(fc.constantFrom(2, 3), { maxLength: 2 })) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('delete' as const),
        repository: fc.constant(0),
        manifest: fc.constantFrom(0, 1, 5),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('wait' as const),
        milliseconds: fc.integer({ min: 1, max: 120 }),
      }),
    },
  ),
  { maxLength: 20, size: 'max' },
)
