// The work of a push without a registry around it, and where its time goes: see bare-loop.ts.
//
//   node bench/compare-hashing.ts [--size <MiB>] [--repeat <n>] [--dir <folder>]
import { execFileSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { loopInProcess, type LoopTimes } from './bare-loop.ts'
import { inDigits, markdownTable } from './report/numbers.ts'
import { median } from './statistics.ts'

const parts: readonly (keyof LoopTimes)[] = ['hashing', 'writing', 'syncing', 'total', 'cpu']

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '1024' },
    repeat: { type: 'string', default: '3' },
    dir: { type: 'string', default: tmpdir() },
  },
})
const mebibytes = Number(values.size)
const repeat = Number(values.repeat)
if (!(Number.isInteger(mebibytes) && mebibytes > 0 && Number.isInteger(repeat) && repeat > 0)) {
  throw new Error('--size and --repeat: expected whole numbers from 1')
}

const turns: LoopTimes[] = []
while (turns.length < repeat) {
  execFileSync('sync')
  turns.push(await loopInProcess(mebibytes * 1024 ** 2, values.dir))
}
const lines = parts.map((part) => {
  const seconds = median(turns.map((times) => times[part]))
  return [part, inDigits(seconds), inDigits(mebibytes / seconds)]
})
process.stdout.write(`${markdownTable([`${mebibytes} MiB`, 'seconds', 'MiB/s'], lines)}\n`)
