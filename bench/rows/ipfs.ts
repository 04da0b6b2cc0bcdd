import { findPeers } from '../peers/index.ts'
import { kubo, kuboApiPort } from '../peers/kubo.ts'
import { Server } from '../peers/server.ts'
import { fillWithIpfsContent, ipfsContent } from './ipfs-filling.ts'
import { atMost, best, peakMemory, rate, throughput } from './metrics.ts'
import type { Row, Sample, Suite, Turn } from './row.ts'

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

/** A node that has nothing yet takes the layer. */
async function importIntoKubo({ server, sizes, measure }: Turn): Promise<Sample> {
  const [found] = await findPeers([kubo.id], () => {})
  if (!found) throw new Error('Kubo is not installed')
  await using node = await Server.start(found, server.site.folder)
  const { root, layer } = ipfsContent(sizes)
  const job = {
    kind: 'import-car',
    path: `/ipfs/${root}?format=car`,
    root,
    api: kuboApiPort(node.site),
  } as const
  return await measure(job, layer.size)
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
    {
      id: 'kubo-import',
      needs: 'ipfs',
      beside: kubo,
      metrics: [throughput('import of the CAR of one 1 GiB layer into an empty Kubo')],
      run: importIntoKubo,
    },
  ],
}
