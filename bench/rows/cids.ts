import { hashInProcess } from '../hash-content.ts'
import { fillWithImages } from './filling.ts'
import { atMost, throughput } from './metrics.ts'
import { emptyGround, type Suite } from './row.ts'

/** What CIDs cost while content arrives: no server has a part in it, none can leave them out. */
export const cidCosts: Suite = {
  servers: 'fresh',
  prepare: () => Promise.resolve(emptyGround),
  rows: [
    {
      id: 'cid-cost',
      needs: 'cid',
      metrics: [
        throughput('digest and CID of 1 GiB in memory', {
          kind: 'reference',
          // As fast as two digests in turn at least.
          atLeast: 0.5,
        }),
      ],
      run: ({ sizes }) => hashInProcess(sizes.layer, 'cid'),
      reference: { label: 'SHA-256 alone', run: ({ layer }) => hashInProcess(layer, 'sha256') },
    },
  ],
}

/** How often one more tag is pushed. */
const pushes = 5

/** The directory of a repository is another one after each push. */
export const repositoryCids: Suite = {
  servers: 'fresh',
  prepare: fillWithImages,
  rows: [
    {
      id: 'repository-cid',
      needs: 'cid',
      metrics: [
        {
          title: 'CID of a repository with 1 000 tags after one more push',
          unit: 's',
          better: 'lower',
          budgets: [atMost(0.1)],
          value: ({ seconds, operations }) => seconds / operations,
        },
      ],
      run: ({ ground: { repository, blobs }, measure }) =>
        measure(
          {
            kind: 'newest-cid',
            repository,
            blobs: blobs.map(({ digest, size }) => ({ digest, size })),
            count: pushes,
          },
          0,
        ),
    },
  ],
}
