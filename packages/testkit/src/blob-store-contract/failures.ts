import { describe, expect, test } from 'vitest'
import { bytesOf, expectBytes, expectNothing, newKey, read, reusing } from './content.ts'
import type { OpenBlobStore } from './index.ts'

const mebi = 1024 * 1024
const chunk = 256 * 1024

/** A source that does something after so many chunks. */
async function* interrupted(
  chunks: number,
  interrupt: () => Promise<void> | void,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* reusing(bytesOf(chunks * chunk), chunk)
  await interrupt()
}

/** A source of a few chunks that then stays silent for ever, and says whether it was told to stop. */
class SilentSource implements AsyncIterable<Uint8Array> {
  stopped = false
  readonly silent: Promise<void>
  readonly #chunks: number
  #fallSilent: () => void = () => undefined

  constructor(chunks: number) {
    this.#chunks = chunks
    this.silent = new Promise((resolve) => (this.#fallSilent = resolve))
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    let given = 0
    return {
      next: () => {
        if (given++ < this.#chunks) return Promise.resolve({ done: false, value: bytesOf(chunk) })
        this.#fallSilent()
        return new Promise(() => undefined)
      },
      return: () => {
        this.stopped = true
        return Promise.resolve({ done: true, value: undefined })
      },
    }
  }
}

/** Whatever goes wrong with a write, nothing is left. */
export function failureTests(open: OpenBlobStore): void {
  describe('writes that fail', () => {
    test.each([0, 1, 2, 9])('a source that throws after %i chunks leaves nothing', async (chunks) => {
      await using store = await open()
      const key = newKey()
      const broken = new Error('the client went away')
      const source = interrupted(chunks, () => Promise.reject(broken))
      await expect(store.write(key, source)).rejects.toBe(broken)
      await expectNothing(store, key)
    })

    test('an aborted signal is seen before the source', async () => {
      await using store = await open()
      const key = newKey()
      const reason = new Error('never mind')
      const source = new SilentSource(0)
      await expect(store.write(key, source, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      await expectNothing(store, key)
    })

    test.each([0, 1, 9])(
      'an abort after %i chunks, while the source is silent, leaves nothing',
      async (chunks) => {
        await using store = await open()
        const key = newKey()
        const reason = new Error('too slow')
        const aborting = new AbortController()
        const source = new SilentSource(chunks)
        const writing = store.write(key, source, { signal: aborting.signal })
        await Promise.race([source.silent, writing])
        aborting.abort(reason)
        await expect(writing).rejects.toBe(reason)
        expect(source.stopped).toBe(true)
        await expectNothing(store, key)
      },
    )

    test.each([0, 1, 9])(
      'an abort with the end of the source, after %i chunks, leaves nothing',
      async (chunks) => {
        await using store = await open()
        const key = newKey()
        const reason = new Error('shutting down')
        const aborting = new AbortController()
        const source = interrupted(chunks, () => aborting.abort(reason))
        await expect(store.write(key, source, { signal: aborting.signal })).rejects.toBe(reason)
        await expectNothing(store, key)
      },
    )

    test('an abort while a chunk is being written leaves nothing', async () => {
      await using store = await open()
      const reason = new Error('shutting down')
      for (let chunks = 1; chunks < 6; chunks++) {
        const key = newKey()
        const aborting = new AbortController()
        const source = abortingAt(chunks, () => aborting.abort(reason))
        await expect(store.write(key, source, { signal: aborting.signal })).rejects.toBe(reason)
        await expectNothing(store, key)
      }
    })

    test('an abort after the write changes nothing', async () => {
      await using store = await open()
      const key = newKey()
      const bytes = bytesOf(2 * mebi)
      const aborting = new AbortController()
      await store.write(key, reusing(bytes, mebi), { signal: aborting.signal })
      aborting.abort()
      expectBytes(await read(store, key), bytes)
    })

    test('a failed write spoils no other of the same upload', async () => {
      await using store = await open()
      const [key, other] = [newKey(), newKey()]
      const sibling = `${key.slice(0, 33)}${other.slice(33)}` as typeof key
      const bytes = bytesOf(mebi)
      await store.write(key, reusing(bytes, chunk))
      const broken = new Error('the client went away')
      await expect(
        store.write(
          sibling,
          interrupted(2, () => Promise.reject(broken)),
        ),
      ).rejects.toBe(broken)
      await expectNothing(store, sibling)
      expectBytes(await read(store, key), bytes)
    })
  })
}

/** Aborts from a microtask while the consumer handles the chunk of that number. */
async function* abortingAt(chunks: number, abort: () => void): AsyncGenerator<Uint8Array, void, undefined> {
  let given = 0
  for await (const piece of reusing(bytesOf(8 * chunk), chunk)) {
    if (++given === chunks) setImmediate(abort)
    yield piece
  }
  // The abort may come late on a slow machine, but it comes before the end.
  await new Promise((resolve) => setImmediate(resolve))
}
