import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { SeedResult } from '../seed-run.ts'
import { Checkout } from './checkout.ts'
import { mutations, type Mutation } from './mutations.ts'

/** How mutations are looked for. */
export interface MutationOptions {
  /** Only those whose name contains this. */
  only: string | undefined
  /** Seeds that may pass before a mutation counts as not noticed. */
  seeds: number
  onResult: (line: string) => void
}

/**
 * Runs the harness on a copy of the sources with one mutation after the other. What turned red is run again without the
 * mutation: it has to be green, or it says nothing.
 * @returns the names of those that were not noticed.
 */
export async function runMutations({ only = '', seeds, onResult }: MutationOptions): Promise<string[]> {
  await using checkout = await Checkout.make()
  const missed: string[] = []
  for (const mutation of mutations.filter(({ name }) => name.includes(only))) {
    const restore = await checkout.apply(mutation)
    const results = await runSeeds(checkout, mutation, ['--seeds', String(seeds), '--until-red'])
    await restore()
    const red = results.find(({ violations }) => violations.length > 0)
    const control = red === undefined ? [] : await runSeeds(checkout, mutation, ['--seed', String(red.seed)])
    const isSound = control.every(({ violations }) => violations.length === 0)
    if (red === undefined || !isSound) missed.push(mutation.name)
    onResult(describe(mutation, red, isSound))
    // What a mutation breaks on purpose is nothing to look into.
    if (typeof red?.folder === 'string' && isSound) await rm(red.folder, { recursive: true, force: true })
  }
  return missed
}

async function runSeeds(
  checkout: Checkout,
  { fault, shape = 'embedded' }: Mutation,
  args: readonly string[],
): Promise<SeedResult[]> {
  const words = ['tools/faults/run.ts', '--json', '--shape', shape, ...args]
  if (fault !== undefined) words.push('--fault', fault)
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

function describe({ name }: Mutation, red: SeedResult | undefined, isSound: boolean): string {
  if (red === undefined) return `MISSED ${name}: every seed passed`
  const seen = `seed ${red.seed} ${red.shape}: ${red.violations[0]?.slice(0, 200)}`
  return isSound
    ? `caught ${name}\n       ${seen}`
    : `UNSURE ${name}: the seed fails without it, too\n       ${seen}`
}
