import type { Step } from '../sql/query.ts'
import type { Connection } from './connection.ts'

/** Runs a step, or a read, to its end. Whatever it throws leaves the transaction to whoever opened it. */
export function runStep<T>(connection: Connection, step: Step<T>): T {
  let turn = step.next([])
  while (turn.done !== true) {
    const wanted = turn.value
    if ('text' in wanted) turn = step.next(connection.all(wanted))
    else {
      for (const query of wanted) connection.all(query)
      turn = step.next([])
    }
  }
  return turn.value
}
