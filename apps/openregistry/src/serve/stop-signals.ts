/**
 * One Ctrl-C can arrive more than once: from the terminal, and passed on by npm and others between it and us. Signals
 * this close together, in milliseconds, are one.
 */
const together = 1000

/** The signals that stop a server. */
export interface StopSignals extends Disposable {
  /** Resolves with the name of the first signal. */
  readonly first: Promise<NodeJS.Signals>
  /** Called at a second one, from somebody who does not want to wait. */
  onSecond(act: () => void): void
}

/** Listens for SIGTERM and SIGINT (and SIGHUP, the terminal that goes away). */
export function stopSignals(
  source: NodeJS.EventEmitter = process,
  now = () => performance.now(),
): StopSignals {
  const first = Promise.withResolvers<NodeJS.Signals>()
  let firstAt: number | null = null
  let second = () => {}
  const onSignal = (signal: NodeJS.Signals) => {
    if (firstAt === null) {
      firstAt = now()
      first.resolve(signal)
    } else if (now() - firstAt > together) {
      second()
    }
  }
  const names = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const
  for (const name of names) source.on(name, onSignal)
  return {
    first: first.promise,
    onSecond(act) {
      second = act
    },
    [Symbol.dispose]() {
      for (const name of names) source.off(name, onSignal)
    },
  }
}
