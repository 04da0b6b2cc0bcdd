import { manifestMediaType } from '../client/registry-calls.ts'
import { fillWithTags } from './filling.ts'
import { atMost, best, rate, slowest } from './metrics.ts'
import type { Ground, Metric, Row, Suite } from './row.ts'

function row(
  id: string,
  metrics: readonly Metric[],
  pathsOf: (ground: Ground, page: number) => readonly string[],
  method: 'GET' | 'HEAD' = 'GET',
): Row {
  return {
    id,
    metrics,
    warmUp: true,
    run: ({ ground, sizes, measure }) => {
      const { connections, seconds, page } = sizes
      const accept = id.startsWith('manifest') ? manifestMediaType : '*/*'
      return measure(
        { kind: 'requests', method, paths: pathsOf(ground, page), accept, connections, seconds },
        0,
      )
    },
  }
}

/** Paths of all whole pages, the first without `last`. */
function pagesOf(path: string, entries: readonly string[], page: number): string[] {
  const paths = [`${path}?n=${page}`]
  for (let end = page; end + page <= entries.length; end += page) {
    paths.push(`${path}?n=${page}&last=${encodeURIComponent(entries[end - 1] ?? '')}`)
  }
  return paths
}

/** Small requests, 32 connections, spread over all tags, manifests, blobs and pages that there are. */
export const smallRequests: Suite = {
  servers: 'shared',
  prepare: fillWithTags,
  rows: [
    row('manifest-tag', [rate('manifest GET by tag', best(5))], ({ repository, tags }) =>
      tags.map((tag) => `/v2/${repository}/manifests/${tag}`),
    ),
    row('manifest-digest', [rate('manifest GET by digest', best(5))], ({ repository, manifests }) =>
      manifests.map((digest) => `/v2/${repository}/manifests/${digest}`),
    ),
    row(
      'blob-head',
      [rate('blob HEAD', best(3))],
      ({ repository, blobs }) => blobs.map(({ digest }) => `/v2/${repository}/blobs/${digest}`),
      'HEAD',
    ),
    row('v2', [rate('GET /v2/')], () => ['/v2/']),
    row(
      'tags',
      [rate('tags list, page of 100', best(10)), slowest('tags list, page of 100, p99', atMost(10))],
      ({ repository, tags }, page) => pagesOf(`/v2/${repository}/tags/list`, tags, page),
    ),
    row(
      'catalog',
      [rate('catalog, page of 100', best(10)), slowest('catalog, page of 100, p99', atMost(10))],
      ({ repositories }, page) => pagesOf('/v2/_catalog', repositories.toSorted(), page),
    ),
  ],
}
