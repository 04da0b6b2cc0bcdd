import { fillWithBlobs, fillWithLayer } from './filling.ts'
import { atMost, best, peakMemory, rate, throughput } from './metrics.ts'
import type { Ground, Suite } from './row.ts'

function onlyBlob({ blobs }: Ground): { digest: string; size: number } {
  const blob = blobs[0]
  if (!blob) throw new Error('nothing was pushed before the pull')
  return { digest: blob.digest, size: blob.size }
}

/** Pulls of one large layer. */
export const layerPulls: Suite = {
  servers: 'shared',
  prepare: fillWithLayer,
  rows: [
    {
      id: 'pull',
      metrics: [
        throughput('pull of one 1 GiB layer, one stream', best(0.8)),
        peakMemory('pull of one 1 GiB layer, one stream: memory', atMost(200)),
      ],
      run: ({ ground, sizes, measure }) =>
        measure(
          { kind: 'pull', repository: ground.repository, blob: onlyBlob(ground), parallel: 1 },
          sizes.layer,
        ),
    },
    {
      id: 'pull-8',
      metrics: [throughput('pull of one 1 GiB layer, 8 parallel streams', best(1))],
      run: ({ ground, sizes, measure }) => {
        const { layer, pullStreams: parallel } = sizes
        const job = { kind: 'pull', repository: ground.repository, blob: onlyBlob(ground), parallel } as const
        return measure(job, layer * parallel)
      },
    },
  ],
}

/** Pulls and pushes of 1 MiB at the same time. */
export const mixedTransfers: Suite = {
  servers: 'fresh',
  prepare: fillWithBlobs,
  rows: [
    {
      id: 'mixed',
      metrics: [rate('pull 75 % / push 25 %, 1 MiB each, 8 connections', best(1.5))],
      run: ({ ground, sizes, measure }) => {
        const { operations, size, connections: parallel } = sizes.mixed
        const blobs = ground.blobs.map((blob) => ({ digest: blob.digest, size: blob.size }))
        const job = {
          kind: 'mixed',
          repository: ground.repository,
          blobs,
          operations,
          size,
          parallel,
        } as const
        return measure(job, operations * size)
      },
    },
  ],
}
