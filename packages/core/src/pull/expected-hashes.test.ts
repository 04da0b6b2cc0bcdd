import { expect, test } from 'vitest'
import { newStorageKey, newUploadId } from '../ports/storage-key.ts'
import { ExpectedHashes } from './expected-hashes.ts'

const place = { backend: 'far', key: newStorageKey(newUploadId()) }

test('the hashes of a huge blob are asked for in parts, each once', async () => {
  const asked: [first: number, count: number][] = []
  const readLeaves = ({ first, count }: { first: number; count: number }): Promise<Uint8Array> => {
    asked.push([first, count])
    const leaves = new Uint8Array(count * 32)
    for (let index = 0; index < count; index++)
      leaves.fill((first + index) % 251, index * 32, index * 32 + 32)
    return Promise.resolve(leaves)
  }
  const hashes = new ExpectedHashes({ readLeaves }, place, { first: 10, end: 10_000 })
  for (let index = 10; index < 10_000; index += 7) {
    const [one, next] = await Promise.all([hashes.at(index), hashes.at(Math.min(9999, index + 1))])
    expect(one).toEqual(new Uint8Array(32).fill(index % 251))
    expect(next).toEqual(new Uint8Array(32).fill(Math.min(9999, index + 1) % 251))
  }
  expect(asked).toEqual([
    [10, 4096],
    [4106, 4096],
    [8202, 1798],
  ])
})

test('there is none when the object is no good location any more', async () => {
  const hashes = new ExpectedHashes({ readLeaves: () => Promise.resolve(null) }, place, { first: 0, end: 2 })
  expect(await hashes.at(0)).toBeNull()
  expect(await hashes.at(1)).toBeNull()
})
