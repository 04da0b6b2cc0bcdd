import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { SeedResult } from '../seed-run.ts'
import type { Checkout } from './checkout.ts'
import type { Mutation, Seen } from './mutation.ts'

/** Runs seeds on a checkout until one is red. @returns null when none of so many is. */
export async function runHarness(
  checkout: Checkout,
  mutation: Mutation,
  seeds: number,
): Promise<Seen | null> {
  const results = await runSeeds(checkout, mutation, ['--seeds', String(seeds), '--until-red'])
  const red = results.find(({ violations }) => violations.length > 0)
  if (red === undefined) return null
  return {
    text: `seed ${red.seed} ${red.shape}: ${red.violations[0]?.slice(0, 200)}`,
    folder: red.folder,
    async passes() {
      const control = await runSeeds(checkout, mutation, ['--seed', String(red.seed)])
      return control.every(({ violations }) => violations.length === 0)
    },
  }
}

async function runSeeds(
  checkout: Checkout,
  { fault, shape = 'embedded', short }: Mutation,
  args: readonly string[],
): Promise<SeedResult[]> {
  const words = ['tools/faults/run.ts', '--json', '--shape', shape, ...args]
  if (fault !== undefined) words.push('--fault', fault)
  if (short === true) words.push('--short')
  const child = spawn(process.execPath, [join(checkout.folder, words[0] ?? ''), ...words.slice(1)], {
    cwd: checkout.folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let errors = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  await once(child, 'close')
  const lines = output.split('\n').filter((line) => line.startsWith('{'))
  if (lines.length === 0) throw new Error(`The harness itself does not run: ${errors}`)
  return lines.map((line) => JSON.parse(line) as SeedResult)
}
