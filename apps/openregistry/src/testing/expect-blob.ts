import { expect } from 'vitest'
import { rawGet, type RawAnswer } from './raw-get.ts'

const mebi = 1024 * 1024

/** Expects a blob of 3 MiB and some bytes under a URL, whole and in ranges within leaves and across them. @returns the whole answer. */
export async function expectBlob(url: string, bytes: Uint8Array): Promise<RawAnswer> {
  const whole = await rawGet(url)
  expect([whole.status, Buffer.compare(whole.body, bytes)]).toEqual([200, 0])
  for (const [from, to] of [
    [0, 0],
    [mebi - 1, mebi],
    [2 * mebi + 7, 3 * mebi + 4],
  ] as const) {
    const part = await rawGet(url, { Range: `bytes=${from}-${to}` })
    expect([part.status, Buffer.compare(part.body, bytes.subarray(from, to + 1))]).toEqual([206, 0])
  }
  return whole
}

/** Expects the connection to break in the middle of a blob, with nothing wrong before that. @returns how much came. */
export async function expectBroken(url: string, bytes: Uint8Array): Promise<number> {
  const broken = await rawGet(url)
  expect([broken.status, broken.complete, broken.announced]).toEqual([200, false, bytes.length])
  expect(Buffer.compare(broken.body, bytes.subarray(0, broken.body.length))).toBe(0)
  return broken.body.length
}

/** Expects that a blob is not there any more, until it is pushed again. */
export async function expectMended(
  url: string,
  bytes: Uint8Array,
  push: () => Promise<unknown>,
): Promise<void> {
  await expect.poll(async () => (await rawGet(url)).status).toBe(404)
  await push()
  expect(Buffer.compare((await rawGet(url)).body, bytes)).toBe(0)
}
