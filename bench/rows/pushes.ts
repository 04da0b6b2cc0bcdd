import { bareLoop } from '../bare-loop.ts'
import { warmUp } from './filling.ts'
import { atMost, best, memoryOfEach, peakMemory, rate, throughput } from './metrics.ts'
import type { Sample, Suite, Turn } from './row.ts'

/** Pushes small images, new ones at every call. */
export function pushImages({ sizes: { images }, measure }: Turn): Promise<Sample> {
  const { count, layers, layerSize, repositories, connections: parallel, limitSeconds } = images
  return measure({ kind: 'images', count, layers, layerSize, repositories, parallel, limitSeconds }, 0)
}

/** Pushes, each turn into an empty registry. */
export const pushes: Suite = {
  servers: 'fresh',
  prepare: warmUp,
  rows: [
    {
      id: 'push',
      metrics: [
        throughput('push of one 1 GiB layer, POST + PUT', best(1.2, 1.5), {
          kind: 'reference',
          atLeast: 0.75,
        }),
      ],
      run: ({ ground, sizes: { layer: size }, measure }) =>
        measure(
          { kind: 'push', repository: ground.repository, way: 'put', count: 1, size, parallel: 1 },
          size,
        ),
      reference: { label: 'bare loop', run: ({ layer }, folder) => bareLoop(layer, folder) },
    },
    {
      id: 'push-patch',
      metrics: [throughput('push of one 1 GiB layer, POST + PATCH + PUT', best(1.2, 1.5))],
      run: ({ ground, sizes: { layer: size }, measure }) =>
        measure(
          { kind: 'push', repository: ground.repository, way: 'patch', count: 1, size, parallel: 1 },
          size,
        ),
    },
    {
      id: 'push-16',
      metrics: [throughput('16 parallel pushes of 64 MiB', best(1.2, 1.5))],
      run: ({ ground, sizes: { patches }, measure }) => {
        const { count, size } = patches
        return measure(
          { kind: 'push', repository: ground.repository, way: 'patch', count, size, parallel: count },
          count * size,
        )
      },
    },
    {
      id: 'push-32',
      metrics: [
        throughput('32 parallel pushes of 100 MiB', best(1.2, 1.5)),
        peakMemory('32 parallel pushes of 100 MiB: memory', atMost(400)),
        // 7 MiB in MB.
        memoryOfEach(
          '32 parallel pushes of 100 MiB: memory of each above idle',
          (count) => count,
          atMost(7.34),
        ),
      ],
      run: ({ ground, sizes: { parallel }, measure }) => {
        const { count, size } = parallel
        return measure(
          { kind: 'push', repository: ground.repository, way: 'patch', count, size, parallel: count },
          count * size,
        )
      },
    },
    {
      id: 'images',
      metrics: [rate('push of 1 000 small images (3 layers of 10 KiB, 8 connections)', best(1.5, 2))],
      run: pushImages,
    },
  ],
}
