import { setTimeout as pause } from 'node:timers/promises'
import { parseImageReference, type RepositoryName } from '@openregistry/oci'
import {
  RegistryClientError,
  type MoveFacts,
  type MoveStatusFacts,
  type RegistryClient,
} from '@openregistry/sdk'
import { CommandError, exitCodes } from '../exit-codes.ts'
import { stopSignals } from '../serve/stop-signals.ts'
import { formatBytes, formatCount } from '../terminal/amounts.ts'
import { printJson, say } from '../terminal/print.ts'
import { ProgressLine } from '../terminal/progress-line.ts'
import type { ClientOptions } from './client-options.ts'
import { copiedBytes, describeMove } from './move-progress.ts'
import { openClient } from './open-client.ts'

/** What the command line says. */
export interface MoveOptions extends ClientOptions {
  to?: string
  /** Bytes a second; 0: no bound. */
  rate?: number
  cancel?: boolean
  /** False with `--no-wait`. */
  wait: boolean
}

/** How often it is asked how far the move is, in milliseconds; and how many times in a row nobody may answer. */
const polls = { interval: 500, withoutAnswer: 60 }

/**
 * `openregistry move`: begins a move and waits for its end, or says how one stands, or stops it.
 * @throws CommandError when it failed, or the command was stopped while the move goes on.
 */
export async function move(target: string, options: MoveOptions): Promise<void> {
  const { registry, repository, tag, digest } = parseImageReference(target)
  if (tag !== null || digest !== null)
    throw usage(`A repository is moved as a whole: leave out what follows ${repository}.`)
  if (options.cancel === true && options.to !== undefined) throw usage('Either --to or --cancel.')
  const client = await openClient(options, registry)
  if (options.cancel === true) {
    const status = await client.api.cancelMove(repository)
    return report(repository, status, options)
  }
  if (options.to === undefined) return report(repository, await client.api.move(repository), options)
  const wish = { backend: options.to, rate: options.rate ?? 0 }
  if (!options.wait) return report(repository, await client.api.startMove(repository, wish), options)
  using signals = stopSignals()
  const begun = await client.api.startMove(repository, wish)
  report(repository, await waitFor(client, repository, { begun, stopped: signals.first }), options)
}

function usage(message: string): CommandError {
  return new CommandError(message, { exitCode: exitCodes.usage })
}

/** Asks until the move is over. @throws CommandError when the command is stopped. */
async function waitFor(
  client: RegistryClient,
  repository: RepositoryName,
  { begun, stopped }: { begun: MoveStatusFacts; stopped: Promise<unknown> },
): Promise<MoveStatusFacts> {
  const stopping = new AbortController()
  void stopped.then(() => stopping.abort())
  const line = new ProgressLine(process.stderr)
  const start = { bytes: begun.move === null ? 0 : copiedBytes(begun.move), at: performance.now() }
  let status = begun
  let silent = 0
  try {
    while (status.move?.state === 'running') {
      const { move: facts } = status
      line.draw(() => describeMove(facts, start, performance.now()))
      await pause(polls.interval, undefined, { signal: stopping.signal })
      try {
        status = await client.api.move(repository, { signal: stopping.signal })
        silent = 0
      } catch (error) {
        // A server that is restarted goes on with it.
        if (!mayPass(error) || ++silent > polls.withoutAnswer) throw error
      }
    }
    return status
  } catch (error) {
    if (!stopping.signal.aborted) throw error
    throw new CommandError(
      `The move goes on in the background. "openregistry move ${repository}" says how far it is; --cancel stops it.`,
    )
  } finally {
    line.end()
  }
}

function mayPass(error: unknown): boolean {
  return error instanceof RegistryClientError && (error.status === null || error.status >= 500)
}

/** @throws CommandError when the move has failed. */
function report(
  repository: RepositoryName,
  { backend, move: facts }: MoveStatusFacts,
  options: MoveOptions,
): void {
  if (options.json === true) printJson({ repository, backend, move: facts })
  else say(facts === null ? `${repository} was never moved.` : outcome(repository, facts))
  if (facts?.state === 'failed') {
    throw new CommandError(
      `The move of ${repository} is not complete: ${facts.error ?? 'the log has the cause'}`,
    )
  }
}

function outcome(repository: RepositoryName, facts: MoveFacts): string {
  const { backend, state, done } = facts
  const amount = `${formatCount(done.blobs, 'blob')} of ${formatBytes(done.bytes)}`
  switch (state) {
    case 'done':
      return `${repository} is in ${backend}: ${amount} moved, and what is pushed goes there.`
    case 'cancelled':
      return `Stopped: ${amount} had been moved to ${backend}, and stay there.`
    case 'failed':
      return `${amount} moved to ${backend}.`
    case 'running':
      return `${repository} is being moved to ${backend}: ${describeMove(facts, { bytes: copiedBytes(facts), at: 0 }, 0)}`
  }
}
