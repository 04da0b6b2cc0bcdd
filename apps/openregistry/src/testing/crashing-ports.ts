import type { BlobStore, Ports } from '@openregistry/core'

/** The process has ended: nothing that it asks for happens any more. */
class Crash extends Error {}

/**
 * The same ports, as a process sees them that is killed at its operation number `last`: half of the points are before it
 * happens, half of them after it, when nobody hears of it any more.
 */
export function crashAfter(ports: Ports, last: number): { ports: Ports; crashed(): boolean } {
  let count = 0
  let crashed = false
  const operation = async (take: () => unknown): Promise<unknown> => {
    count++
    if (crashed || count >= last) {
      const first = !crashed
      crashed = true
      if (first && last % 2 === 0) await take()
      throw new Crash(`killed at operation ${last}`)
    }
    return take()
  }
  const around = <T extends object>(port: T): T =>
    new Proxy(port, {
      get(target, name) {
        const method: unknown = Reflect.get(target, name)
        if (typeof method !== 'function' || typeof name === 'symbol' || name === 'list') return method
        return (...input: unknown[]) =>
          operation(() => (method as (...all: unknown[]) => unknown).apply(target, input))
      },
    })
  const backends = new Map(
    [...ports.backends].map(([name, store]): [string, BlobStore] => [name, around(store)]),
  )
  return { ports: { ...ports, metadata: around(ports.metadata), backends }, crashed: () => crashed }
}
