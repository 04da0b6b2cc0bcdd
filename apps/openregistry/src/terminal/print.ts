import { createInterface } from 'node:readline/promises'
import { CommandError, exitCodes } from '../exit-codes.ts'

/** Writes results to the standard output. */
export function print(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`)
}

/** Writes a result as JSON. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, process.stdout.isTTY ? 2 : undefined))
}

/** Says something beside the results, so that they can be piped on without it. */
export function say(text: string): void {
  process.stderr.write(text.endsWith('\n') ? text : `${text}\n`)
}

/**
 * Asks before something that cannot be undone.
 * @throws CommandError when the answer is no, or there is nobody to ask.
 */
export async function confirm(question: string, { yes }: { yes?: boolean }): Promise<void> {
  if (yes) return
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new CommandError(`${question}\nThere is no terminal to ask on; add --yes if that is meant.`, {
      exitCode: exitCodes.usage,
    })
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await terminal.question(`${question} [y/N] `)
    if (!/^y(es)?$/i.test(answer.trim())) throw new CommandError('Nothing was changed.')
  } finally {
    terminal.close()
  }
}
