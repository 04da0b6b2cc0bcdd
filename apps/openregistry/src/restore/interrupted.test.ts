import { createHash, randomBytes, sign } from 'node:crypto'
import { openBlob, operator } from '@openregistry/core'
import type { Cid } from '@openregistry/dag'
import { findBlockOf, openSnapshot, restoreSnapshot, writeSnapshot, type Snapshot } from '@openregistry/ipfs'
import { formatDigest, parseRepositoryName, type Digest } from '@openregistry/oci'
import { keysOf, snapshotPurpose } from '@openregistry/server/keys'
import { expect, test } from 'vitest'
import { interleavedPorts } from '../testing/interleaved-ports.ts'
import { pushInto } from '../testing/push-into.ts'
import { trustedKey } from './trusted-key.ts'

const keys = keysOf(new Uint8Array(32).fill(9))
const { privateKey, publicKey } = keys.signingKey(snapshotPurpose)
const never = new AbortController().signal
const [app, tool] = [parseRepositoryName('me/app'), parseRepositoryName('me/tool')]

/** A snapshot with all its blobs, and what is in it. */
async function takeSnapshot(): Promise<{ snapshot: Snapshot; layers: [typeof app, Digest][] }> {
  await using source = await interleavedPorts(() => Promise.resolve())
  const shared = randomBytes(1_500_000)
  const layers: [typeof app, Digest][] = [
    [app, await pushInto(source.ports, app, 'v1', shared)],
    [app, await pushInto(source.ports, app, 'v2', randomBytes(40_000))],
    [tool, await pushInto(source.ports, tool, 'v1', shared)],
  ]
  const blocks = new Map<Cid, Uint8Array>()
  const { root } = await writeSnapshot(source.ports, {
    ...{ scope: 'public', seal: null, withBlobs: true, publicKey },
    sign: (message) => sign(null, message, privateKey),
    put: ({ cid, bytes }) => Promise.resolve(void blocks.set(cid, Uint8Array.from(bytes))),
  })
  const memory = { name: 'memory', block: (cid: Cid) => Promise.resolve(blocks.get(cid) ?? null) }
  const trust = trustedKey({ named: undefined, followed: null }, keys)
  const fetchBlock = (cid: Cid, signal: AbortSignal) => findBlockOf([memory], cid, signal)
  return { snapshot: await openSnapshot({ root, trust, seal: null, fetchBlock }, never), layers }
}

test('a restore that is broken off before or after every operation goes on to the same end', async () => {
  const { snapshot, layers } = await takeSnapshot()
  let left = Infinity
  await using target = await interleavedPorts(() => {
    if (left-- > 0) return Promise.resolve()
    return Promise.reject(new Error('broken off'))
  })
  const { ports } = target
  let broken = 0
  for (let operations = 1; ; operations += 3) {
    left = operations
    const result = await restoreSnapshot(ports, snapshot, { signal: never }).catch((error: unknown) => {
      if (error instanceof Error && error.message === 'broken off') return null
      throw error
    })
    left = Infinity
    if (result === null) {
      broken++
      continue
    }
    expect(result).toMatchObject({ repositories: 2, tags: 3, manifests: 3, blobs: 6, missing: 0 })
    break
  }
  expect(broken).toBeGreaterThan(15)
  for (const [repository, digest] of layers) {
    await using blob = await openBlob(ports, operator, { repository, digest })
    const hash = createHash('sha256')
    for await (const chunk of blob.chunks ?? [blob.bytes ?? new Uint8Array()]) hash.update(chunk)
    expect(formatDigest('sha256', hash.digest())).toBe(digest)
  }
})
