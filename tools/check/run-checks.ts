import { spawn } from 'node:child_process'
import type { Check } from './checks.ts'

/** How a check ended. */
export interface CheckResult {
  check: Check
  passed: boolean
  /** Everything that it printed. */
  output: string
  seconds: number
}

/** Runs a program to its end; a program that cannot be started is a failed check. */
function runCheck(check: Check, root: string): Promise<CheckResult> {
  const started = performance.now()
  const { promise, resolve } = Promise.withResolvers<CheckResult>()
  const output: Buffer[] = []
  const child = spawn(check.command, check.args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  const end = (passed: boolean) => {
    const seconds = (performance.now() - started) / 1000
    resolve({ check, passed, output: Buffer.concat(output).toString(), seconds })
  }
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk))
  child.on('error', (error) => {
    output.push(Buffer.from(`${check.command} cannot be started: ${error.message}\n`))
    end(false)
  })
  child.on('close', (code) => end(code === 0))
  return promise
}

/** Runs all checks, `width` at a time, whatever fails. Results come in the order of the checks. */
export async function runChecks(
  checks: readonly Check[],
  root: string,
  width: number,
): Promise<CheckResult[]> {
  const results: CheckResult[] = []
  const waiting = [...checks.entries()]
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, check] = next
      results[index] = await runCheck(check, root)
    }
  }
  await Promise.all(Array.from({ length: width }, work))
  return results
}

/** What the failed checks printed, then a table of all. */
export function describeResults(results: readonly CheckResult[]): string {
  const lines: string[] = []
  for (const { check, passed, output } of results) {
    if (!passed)
      lines.push(`--- ${check.name}: ${check.command} ${check.args.join(' ')}`, output.trimEnd(), '')
  }
  const width = Math.max(...results.map(({ check }) => check.name.length))
  for (const { check, passed, seconds } of results) {
    const remedy = passed ? '' : `  (${check.remedy})`
    const time = `${seconds.toFixed(1)} s`.padStart(7)
    lines.push(`${check.name.padEnd(width)}  ${passed ? 'passed' : 'FAILED'}  ${time}${remedy}`)
  }
  return lines.join('\n')
}
