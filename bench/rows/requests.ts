import { manifestMediaType } from '../client/registry-calls.ts'
import { atMost, best, growth, rate, slowest } from './metrics.ts'
import type { Budget, Ground, Row } from './row.ts'
import type { Feature } from '../peers/peer.ts'

/** A kind of small request, asked of a small and of a large registry. */
interface RequestKind {
  id: string
  title: string
  /** Of the rate: what design 06 asks for, of the registry whose size it names. */
  small: readonly Budget[]
  large: readonly Budget[]
  /** The slowest of 100 is shown where design 06 names it, with what it asks for. */
  slowest: readonly Budget[] | null
  method?: 'HEAD'
  accept?: string
  needs?: Feature
  paths(ground: Ground, page: number): readonly string[]
}

/** Paths of all whole pages, the first without `last`. */
function pagesOf(path: string, entries: readonly string[], page: number): string[] {
  const paths = [`${path}?n=${page}`]
  for (let end = page; end + page <= entries.length; end += page) {
    paths.push(`${path}?n=${page}&last=${encodeURIComponent(entries[end - 1] ?? '')}`)
  }
  return paths
}

function referrersOf({ subjects }: Ground, index: number, page: number): string[] {
  const subject = subjects[index]
  if (!subject) throw new Error('there is no such subject')
  return pagesOf(`/v2/${subject.repository}/referrers/${subject.digest}`, subject.referrers, page)
}

/** At most so many repositories are asked in turn, spread over all. */
const spread = 10_000

function everyNth<T>(items: readonly T[], count: number): T[] {
  const step = Math.max(1, Math.floor(items.length / count))
  return items.filter((_, index) => index % step === 0)
}

const kinds: readonly RequestKind[] = [
  {
    id: 'manifest-tag',
    title: 'manifest GET by tag',
    small: [best(5)],
    large: [],
    slowest: null,
    accept: manifestMediaType,
    paths: ({ repository, tags }) => tags.map((tag) => `/v2/${repository}/manifests/${tag}`),
  },
  {
    id: 'manifest-digest',
    title: 'manifest GET by digest',
    small: [best(5)],
    large: [],
    slowest: null,
    accept: manifestMediaType,
    paths: ({ repository, manifests }) => manifests.map((digest) => `/v2/${repository}/manifests/${digest}`),
  },
  {
    id: 'manifest-spread',
    title: 'manifest GET by tag, of many repositories',
    small: [],
    large: [],
    slowest: null,
    accept: manifestMediaType,
    paths: ({ repository, repositories }) =>
      everyNth(
        repositories.filter((name) => name !== repository),
        spread,
      ).map((name) => `/v2/${name}/manifests/v1`),
  },
  {
    id: 'blob-head',
    title: 'blob HEAD',
    small: [best(3)],
    large: [],
    slowest: null,
    method: 'HEAD',
    paths: ({ repository, blobs }) => blobs.map(({ digest }) => `/v2/${repository}/blobs/${digest}`),
  },
  {
    id: 'v2',
    title: 'GET /v2/',
    small: [],
    large: [],
    slowest: null,
    paths: () => ['/v2/'],
  },
  {
    id: 'tags',
    title: 'tags list, page of 100',
    small: [best(10)],
    large: [best(10)],
    slowest: [atMost(10)],
    paths: ({ repository, tags }, page) => pagesOf(`/v2/${repository}/tags/list`, tags, page),
  },
  {
    id: 'catalog',
    title: 'catalog, page of 100',
    small: [best(10)],
    large: [best(10)],
    slowest: [atMost(10)],
    paths: ({ repositories }, page) => pagesOf('/v2/_catalog', repositories.toSorted(), page),
  },
  {
    id: 'referrers',
    title: 'referrers of one subject, page of 100',
    small: [best(5)],
    large: [best(5)],
    slowest: [],
    needs: 'referrers',
    paths: (ground, page) => referrersOf(ground, 0, page),
  },
  {
    id: 'referrers-few',
    title: 'five referrers among many',
    small: [best(5)],
    large: [best(5)],
    slowest: [],
    needs: 'referrers',
    paths: (ground, page) => referrersOf(ground, 1, page),
  },
]

function metricsOf(
  { slowest: limit }: RequestKind,
  title: string,
  budgets: readonly Budget[],
): Row['metrics'] {
  const only = rate(title, ...budgets)
  return limit === null ? [only] : [only, slowest(`${title}, p99`, ...limit)]
}

function rowOf(kind: RequestKind): Omit<Row, 'id' | 'metrics'> {
  const { method = 'GET', accept = '*/*', needs, paths } = kind
  return {
    warmUp: true,
    ...(needs === undefined ? {} : { needs }),
    run: ({ ground, sizes, measure }) => {
      const { connections, seconds, page } = sizes
      const job = {
        kind: 'requests',
        method,
        paths: paths(ground, page),
        accept,
        connections,
        seconds,
      } as const
      return measure(job, 0)
    },
  }
}

/** Small requests, spread over all tags, manifests and pages that there are. */
export const smallRows: readonly Row[] = kinds.map((kind) => ({
  ...rowOf(kind),
  id: kind.id,
  metrics: metricsOf(kind, kind.title, kind.small),
}))

/** How much slower the same request may be in a large registry. */
const mayGrow = growth(0.8)

/** The same requests of a large registry, but for the one that touches nothing. */
export const largeRows: readonly Row[] = kinds
  .filter(({ id }) => id !== 'v2')
  .map((kind) => ({
    ...rowOf(kind),
    id: `large-${kind.id}`,
    small: kind.id,
    metrics: metricsOf(kind, `large: ${kind.title}`, [...kind.large, mayGrow]),
  }))
