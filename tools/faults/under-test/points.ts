import { setTimeout as delay } from 'node:timers/promises'
import { RegistryError, type ErrorCode } from '@openregistry/oci'
import type { Trap } from './messages.ts'

function isOpen(result: unknown): result is AsyncDisposable {
  return typeof result === 'object' && result !== null && Symbol.asyncDispose in result
}

/** Named places in the work of a registry: before and after every operation of its stores. */
export class Points {
  #trap: Trap | null = null
  #left = 0
  readonly #trapped: (point: string) => void

  /** @param trapped called when a trap closes. */
  constructor(trapped: (point: string) => void) {
    this.#trapped = trapped
  }

  /** Sets a trap, in place of any other. */
  set(trap: Trap): void {
    this.#trap = trap
    this.#left = trap.action.kind === 'fail' ? trap.action.times : 1
  }

  /** The same store, whose operations pass two points each. */
  around<T extends object>(store: T, name: string, fault: ErrorCode): T {
    return new Proxy(store, {
      get: (target, property) => {
        const value: unknown = Reflect.get(target, property, target)
        if (typeof value !== 'function') return value
        const method = value.bind(target) as (...input: unknown[]) => unknown
        // Lists are generators, and closing is none of the store's work.
        if (typeof property === 'symbol' || property.startsWith('list')) return method
        return async (...input: unknown[]) => {
          await this.#pass(`${name}.${property} before`, fault)
          const result = await method(...input)
          try {
            await this.#pass(`${name}.${property} after`, fault)
          } catch (error) {
            // Whoever does not get it cannot close it.
            if (isOpen(result)) await result[Symbol.asyncDispose]()
            throw error
          }
          return result
        }
      },
    })
  }

  async #pass(point: string, fault: ErrorCode): Promise<void> {
    const trap = this.#trap
    if (trap === null || !trap.points.includes(point)) return
    if (trap.skip > 0) return void trap.skip--
    if (--this.#left <= 0) this.#trap = null
    this.#trapped(point)
    if (trap.action.kind === 'kill') process.kill(process.pid, 'SIGKILL')
    else if (trap.action.kind === 'pause') await delay(trap.action.milliseconds)
    else throw new RegistryError(fault, `The harness lets ${point} fail.`)
  }
}
