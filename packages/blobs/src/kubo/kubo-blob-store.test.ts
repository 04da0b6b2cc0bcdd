import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { blobStoreContract, describeWithKubo } from '@openregistry/testkit'
import { openKuboBlobStore } from './kubo-blob-store.ts'

let spool: string
beforeAll(async () => {
  spool = await mkdtemp(join(tmpdir(), 'openregistry-spool-'))
})
afterAll(() => rm(spool, { recursive: true }))

describeWithKubo('on a real node', (node) => {
  let stores = 0
  blobStoreContract('kubo', async () =>
    openKuboBlobStore({ apiUrl: node().apiUrl, spool, registry: `registry-${stores++}` }),
  )

  test('nothing is left in the spool', async () => {
    expect(await readdir(spool)).toEqual([])
  })
})
