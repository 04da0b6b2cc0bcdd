import { seedRepositories, seedRepositoryName, tagsRepository, type SeedSizes } from '../seed/contents.ts'
import { untilCalm } from './calm.ts'
import { growth, duration, idleMemory, rate, atMost } from './metrics.ts'
import { largeRows } from './requests.ts'
import { pushImages } from './pushes.ts'
import type { Ground, Suite } from './row.ts'
import { startSample } from './start.ts'
import { subjectsOf } from './subjects.ts'

function inWords({ repositories, blobsOfEach, tags, referrers }: SeedSizes): string {
  const spaced = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ' ')
  return [
    `${spaced(repositories)} repositories`,
    `${spaced(repositories * blobsOfEach)} blobs`,
    `${spaced(tags)} tags in one repository`,
    `${spaced(referrers)} referrers of one subject`,
  ].join(', ')
}

/** What was seeded, by what it was seeded with. */
function groundOf(sizes: SeedSizes): Ground {
  const [referrers, tags] = seedRepositories(sizes)
  const tagged = [...(tags?.manifests() ?? [])]
  const names = Array.from({ length: sizes.repositories }, (_, index) => seedRepositoryName(index))
  return {
    repository: tagsRepository,
    tags: tagged.map(({ tag }) => tag ?? ''),
    manifests: tagged.map(({ digest }) => digest),
    blobs: (tagged[0]?.blobs ?? []).map(({ digest, bytes }) => ({ digest, size: bytes.length })),
    repositories: [tagsRepository, ...names],
    subjects: subjectsOf(referrers?.manifests() ?? []),
  }
}

/** The same requests of a registry that is large; what they cost must not grow with it. */
export const largeRegistry: Suite = {
  servers: 'shared',
  seed({ peer: { seed } }, { large }) {
    if (!seed) return null
    const sizes = seed.sizes(large)
    return { fill: (site) => seed.fill(site, sizes), words: inWords(sizes) }
  },
  async prepare(server, { large }) {
    await untilCalm(server)
    return groundOf(server.found.peer.seed?.sizes(large) ?? large)
  },
  rows: [
    ...largeRows,
    {
      id: 'large-images',
      small: 'images',
      metrics: [rate('large: push of 1 000 small images', growth(0.8))],
      run: pushImages,
    },
    {
      id: 'large-start',
      small: 'start',
      metrics: [
        duration('large: start to first answer', atMost(1), growth(0.8)),
        idleMemory('large: memory'),
      ],
      run: startSample,
    },
  ],
}
