/**
 * Does work for every item, a few at once. After a fault nothing new is begun; it is thrown when what was begun has ended,
 * so that nothing goes on behind the caller's back.
 */
export async function eachOf<T>(
  items: Iterable<T>,
  parallel: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items[Symbol.iterator]()
  const faults: unknown[] = []
  const worker = async (): Promise<void> => {
    // One iterator for all workers: each takes what is next.
    for (let next = queue.next(); next.done !== true && faults.length === 0; next = queue.next()) {
      try {
        await work(next.value)
      } catch (error) {
        faults.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: parallel }, worker))
  if (faults.length > 0) throw faults[0]
}
