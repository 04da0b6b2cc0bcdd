import { afterAll, beforeAll, test } from 'vitest'
import { havePeers, requirePeers, type PeerName } from './peers.ts'
import { startRegistryUnderTest, type RunningRegistry } from './registry.ts'
import type { RegistryOptions } from './registry-kinds.ts'
import { Scratch } from './scratch.ts'

/**
 * A test of clients, titled `<client>: <what>`. It is skipped where one of the peers is missing.
 *
 * @param peers the client itself first, then whatever else the test calls
 */
export function clientTest(
  peers: readonly [PeerName, ...PeerName[]],
  what: string,
  body: () => Promise<void>,
): void {
  test(`${peers[0]}: ${what}`, async (context) => {
    requirePeers(context, peers)
    await body()
  })
}

/** Gives something that exists from the first test of a file to the last. */
export type Shared<T> = () => T

let stack: AsyncDisposableStack | null = null

/** Everything shared in this file. One stack, since a hook that fails keeps the next ones from cleaning up. */
function stackOfThisFile(): AsyncDisposableStack {
  if (stack === null) {
    const own = new AsyncDisposableStack()
    afterAll(() => own.disposeAsync())
    stack = own
  }
  return stack
}

/**
 * Makes something before the tests of a file, and disposes of it after them; what is made last goes first.
 *
 * @param needs without one of these peers nothing is made: the tests that ask for it are skipped for the same reason
 */
export function shared<T extends AsyncDisposable>(
  make: () => Promise<T> | T,
  needs: readonly PeerName[] = [],
): Shared<T> {
  let value: T | undefined
  const stack = stackOfThisFile()
  beforeAll(async () => {
    if (havePeers(needs)) value = stack.use(await make())
  })
  return () => {
    if (value === undefined) throw new Error('Only tests may ask for this.')
    return value
  }
}

/** The registry under test, for all tests of a file. */
export function sharedRegistry(options: Partial<RegistryOptions> = {}): Shared<RunningRegistry> {
  return shared(() => startRegistryUnderTest(options))
}

/** A folder for all tests of a file. */
export function sharedScratch(): Shared<Scratch> {
  return shared(() => new Scratch())
}
