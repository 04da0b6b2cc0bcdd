import { parseArgs } from 'node:util'
import { killRun } from './kill-run.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1' },
    kills: { type: 'string', default: '50' },
    clients: { type: 'string', default: '6' },
    acknowledged: { type: 'string', default: '500' },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) {
  process.stdout.write(`npm run faults -- [options]

Kills the registry at random moments while clients push, and reads back everything that was acknowledged.

  --seeds N          runs with the seeds 1 … N (default 1)
  --seed S           one run with this seed, to see a failure again
  --kills N          kills in each run (default 50)
  --clients N        clients that push at the same time (default 6)
  --acknowledged N   acknowledged operations that a run needs at least (default 500)
`)
} else {
  const first = values.seed === undefined ? 1 : Number(values.seed)
  const last = values.seed === undefined ? Number(values.seeds) : first
  for (let seed = first; seed <= last; seed++) await runSeed(seed)
}

async function runSeed(seed: number): Promise<void> {
  const result = await killRun({
    seed,
    kills: Number(values.kills),
    clients: Number(values.clients),
    acknowledged: Number(values.acknowledged),
    onKill: (kills, acknowledged) =>
      process.stderr.write(`\rseed ${seed}: ${kills} kills, ${acknowledged} acknowledged`),
  })
  const { kills, acknowledged, blobs, manifests, losses } = result
  process.stderr.write('\r')
  process.stdout.write(
    `seed ${seed}: ${kills} kills, ${acknowledged} acknowledged (${blobs} blobs, ${manifests} manifests), ${losses.length} lost\n`,
  )
  if (losses.length === 0) return
  process.stdout.write(`${losses.slice(0, 20).join('\n')}\nAgain: npm run faults -- --seed ${seed}\n`)
  process.exitCode = 1
}
