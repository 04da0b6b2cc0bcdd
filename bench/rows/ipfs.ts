import { fillWithIpfsContent, ipfsContent } from './ipfs-filling.ts'
import { atMost, best, peakMemory, rate, throughput } from './metrics.ts'
import type { Row, Suite, Turn } from './row.ts'

/** Blocks as they are, in turn. */
function blocks(cids: (turn: Turn) => readonly string[], connections: (turn: Turn) => number): Row['run'] {
  return (turn) => {
    const paths = cids(turn).map((cid) => `/ipfs/${cid}?format=raw`)
    const accept = 'application/vnd.ipld.raw'
    const { seconds } = turn.sizes
    const job = {
      kind: 'requests',
      method: 'GET',
      paths,
      accept,
      connections: connections(turn),
      seconds,
    } as const
    return turn.measure(job, 0)
  }
}

/** What a trustless gateway is asked for, of ours and of Kubo's with the same blocks. */
export const ipfsGateway: Suite = {
  servers: 'shared',
  prepare: fillWithIpfsContent,
  rows: [
    {
      id: 'ipfs-block-1m',
      needs: 'ipfs',
      warmUp: true,
      metrics: [rate('/ipfs: raw blocks of 1 MiB, 8 connections', best(1))],
      run: blocks(
        ({ sizes }) => ipfsContent(sizes).leaves,
        ({ sizes }) => sizes.pullStreams,
      ),
    },
    {
      id: 'ipfs-block-10k',
      needs: 'ipfs',
      warmUp: true,
      metrics: [rate('/ipfs: raw blocks of 10 KiB, 32 connections', best(2.5))],
      run: blocks(
        ({ sizes }) => ipfsContent(sizes).smallCids,
        ({ sizes }) => sizes.connections,
      ),
    },
    {
      id: 'ipfs-car',
      needs: 'ipfs',
      metrics: [
        throughput('/ipfs: CAR of one 1 GiB layer', best(2)),
        peakMemory('/ipfs: CAR of one 1 GiB layer: memory', atMost(200)),
      ],
      run: ({ sizes, measure }) => {
        const { root, layer } = ipfsContent(sizes)
        return measure({ kind: 'get', path: `/ipfs/${root}?format=car`, least: layer.size }, layer.size)
      },
    },
  ],
}
