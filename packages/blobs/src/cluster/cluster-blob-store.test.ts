import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { BlobStore, Lists, ListsUploads, PinsLayouts } from '@openregistry/core'
import {
  blobStoreContract,
  describeWithIpfsCluster,
  layoutPinContract,
  uploadListingContract,
} from '@openregistry/testkit'
import { openClusterBlobStore } from './cluster-blob-store.ts'

let spool: string
beforeAll(async () => {
  spool = await mkdtemp(join(tmpdir(), 'openregistry-spool-'))
})
afterAll(() => rm(spool, { recursive: true }))

let stores = 0

describeWithIpfsCluster('on a real peer', (running) => {
  const open = async (): Promise<BlobStore & Lists & ListsUploads & PinsLayouts> => {
    const { peer, node } = running()
    const registry = `registry-${stores++}`
    return openClusterBlobStore({ apiUrl: peer.apiUrl, gatewayUrl: node.gatewayUrl, spool, registry })
  }
  blobStoreContract('cluster', open)
  uploadListingContract('cluster', open)
  layoutPinContract('cluster', open)

  test('nothing is left in the spool', async () => {
    expect(await readdir(spool)).toEqual([])
  })
})
