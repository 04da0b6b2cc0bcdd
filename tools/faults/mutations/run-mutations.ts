import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
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
 * Runs the harness on a copy of the sources with one mutation after the other.
 * @returns the names of those that no seed noticed.
 */
export async function runMutations({ only = '', seeds, onResult }: MutationOptions): Promise<string[]> {
  await using checkout = await Checkout.make()
  const survivors: string[] = []
  for (const mutation of mutations.filter(({ name }) => name.includes(only))) {
    const restore = await checkout.apply(mutation)
    const noticed = await firstRedSeed(checkout, mutation, seeds)
    await restore()
    if (noticed === null) survivors.push(mutation.name)
    onResult(describe(mutation, noticed, seeds))
  }
  return survivors
}

/** What a red run said: its line, and the first thing that was wrong. */
async function firstRedSeed(
  checkout: Checkout,
  { fault, shape = 'embedded' }: Mutation,
  seeds: number,
): Promise<string | null> {
  const program = join(checkout.folder, 'tools/faults/run.ts')
  const args = [program, '--seeds', String(seeds), '--until-red', '--shape', shape]
  if (fault !== undefined) args.push('--fault', fault)
  const child = spawn(process.execPath, args, { cwd: checkout.folder, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  await once(child, 'close')
  const lines = output.split('\n')
  const red = lines.findIndex((line) => line.includes('FAILED'))
  if (child.exitCode === 0) return null
  return `${/^seed \d+ \w+/.exec(lines[red] ?? '')?.[0] ?? 'no seed'}: ${(lines[red + 1] ?? output).trim()}`
}

function describe({ name }: Mutation, noticed: string | null, seeds: number): string {
  return noticed === null
    ? `MISSED ${name}: ${seeds} seeds passed`
    : `caught ${name}\n       ${noticed.slice(0, 200)}`
}
