import { CommanderError } from 'commander'
import { exitCodes } from './exit-codes.ts'
import { program } from './program.ts'

// `openregistry ls | head`: whoever reads has read enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

try {
  await program().parseAsync(process.argv)
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has said what is wrong; its own codes know only 0 and 1.
    process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  } else {
    const { explain } = await import('./explain-error.ts')
    const { message, exitCode } = explain(error)
    process.stderr.write(`${message}\n`)
    process.exitCode = exitCode
  }
}
