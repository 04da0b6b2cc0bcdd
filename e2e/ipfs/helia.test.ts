import { digestHex } from '@openregistry/oci'
import { randomMultiPlatformImage, type MultiPlatformImage } from '@openregistry/testkit'
import { CID } from 'multiformats/cid'
import { beforeAll, describe, expect, test } from 'vitest'
import { setVisibility } from '../access/fixture.ts'
import { useRegistry } from '../adversarial/local-registry.ts'
import { passwords, usersFile } from '../adversarial/users.ts'
import { Repository } from '../conformance/repository.ts'
import { heliaOf } from './helia-client.ts'
import { contentsOf } from './image-blocks.ts'

const registry = useRegistry({ users: usersFile })
let shown: MultiPlatformImage
let hidden: MultiPlatformImage

beforeAll(() => {
  const make = () => randomMultiPlatformImage(registry.random, { layerSize: 2_300_000 })
  shown = make()
  hidden = make()
})

/** Pushes an image. @returns the CID of its layout. */
async function push(name: string, { index, images }: MultiPlatformImage): Promise<CID> {
  const alice = registry.clientOf('alice', passwords.alice)
  const repository = new Repository(alice, name)
  for (const image of images) await repository.pushImage(image)
  await repository.pushManifest(index, 'v1')
  if (name.startsWith('shown/')) await setVisibility(alice, name, 'public')
  const path = `/api/v1/repositories/${encodeURIComponent(name)}/cid?reference=v1`
  return CID.parse(((await alice.send({ path })).json() as { cid: string }).cid)
}

describe('Helia, whose only router is ours,', () => {
  test('fetches every file of a public image by the CID of its layout', async () => {
    const layout = await push('shown/app', shown)
    const files = heliaOf(registry.http.origin.origin, AbortSignal.timeout(60_000))
    for (const { digest, bytes } of contentsOf(shown)) {
      const path = `blobs/sha256/${digestHex(digest)}`
      const read = Buffer.concat(await Array.fromAsync(files.cat(layout, { path })))
      expect(read.equals(bytes)).toBe(true)
    }
    const names = await Array.fromAsync(files.ls(layout), ({ name }) => name)
    expect(names).toEqual(['blobs', 'index.json', 'oci-layout'])
  })

  test('finds nothing of a private one, and does not wait for it', async () => {
    const layout = await push('hidden/app', hidden)
    const files = heliaOf(registry.http.origin.origin, AbortSignal.timeout(60_000))
    const wanted = [layout, ...contentsOf(hidden).map(({ digest }) => cidOf(digestHex(digest)))]
    for (const cid of wanted) {
      await expect(Array.fromAsync(files.cat(cid))).rejects.toThrow('from any gateway')
    }
  })
})

/** The CID of a block by the SHA-256 of its content. */
function cidOf(hex: string): CID {
  return CID.decode(Uint8Array.from([1, 0x55, 0x12, 0x20, ...Buffer.from(hex, 'hex')]))
}
