/** Milliseconds for which the event loop is kept at most. */
const turn = 5

/** Runs short steps one after another, and lets everything else have its turn every few milliseconds. */
export async function inTurns<T>(steps: Generator<void, T, void>): Promise<T> {
  let startedAt = performance.now()
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
    if (performance.now() - startedAt < turn) continue
    await nextTurn()
    startedAt = performance.now()
  }
}

/** Lets everything else have its turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve))
}
