import { expect } from 'vitest'
import { clientTest, shared, sharedRegistry } from '../support/client-test.ts'
import { homedClient } from '../support/homed-client.ts'
import type { Program } from '../support/program.ts'
import { havePeers } from '../support/peers.ts'
import { makeLayout } from '../support/image-layout.ts'
import { pushLayout } from '../support/push-layout.ts'
import { RegistryApi } from '../support/registry-api.ts'
import { Scratch } from '../support/scratch.ts'

const certificate = 'test.openregistry.invalid'
const policy = {
  version: '1.0',
  trustPolicies: [
    {
      name: 'all',
      registryScopes: ['*'],
      signatureVerification: { level: 'strict' },
      trustStores: [`ca:${certificate}`],
      trustedIdentities: ['*'],
    },
  ],
}

/** A home with a key, a certificate that is trusted, and a policy that wants it. */
async function makeTrustedHome(): Promise<Scratch> {
  const scratch = new Scratch()
  if (havePeers(['notation'])) {
    const client = homedClient('notation', scratch)
    await client.run('cert', 'generate-test', '--default', certificate)
    await client.run('policy', 'import', '--force', scratch.file('policy.json', JSON.stringify(policy)))
  }
  return scratch
}

const scratch = shared(makeTrustedHome)
const registry = sharedRegistry()
const peers = ['notation', 'busybox'] as const
const notation = (): Program => homedClient('notation', scratch())
const plainHttp = '--insecure-registry'

/** Pushes an image. @returns its reference by digest. */
async function push(repository: string): Promise<string> {
  const layout = await makeLayout(scratch(), repository.replace('/', '-'))
  await pushLayout(registry().url, repository, layout)
  return `${registry().address}/${repository}@${layout.digest}`
}

clientTest(peers, 'sign by the referrers API, verify; no tag appears', async () => {
  const image = await push('me/signed')
  await notation().run('sign', plainHttp, '--force-referrers-tag=false', image)
  await notation().run('verify', plainHttp, image)
  expect(await notation().run('list', plainHttp, image)).toContain('application/vnd.cncf.notary.signature')

  const api = new RegistryApi(registry().url)
  const [, digest = ''] = image.split('@')
  const artifactType = 'application/vnd.cncf.notary.signature'
  expect(await api.referrers('me/signed', digest)).toMatchObject([{ artifactType }])
  expect(await api.tags('me/signed')).toEqual(['1'])
})

clientTest(peers, 'sign its default way, by the referrers tag; verify finds both signatures', async () => {
  const image = await push('me/twice')
  const [, digest = ''] = image.split('@')
  await notation().run('sign', plainHttp, '--force-referrers-tag=false', image)
  await notation().run('sign', plainHttp, image)
  await notation().run('verify', plainHttp, image)
  const api = new RegistryApi(registry().url)
  expect(await api.tags('me/twice')).toEqual(['1', digest.replace(':', '-')])
  expect(await api.referrers('me/twice', digest)).toHaveLength(2)
})

clientTest(peers, 'what is not signed does not verify', async () => {
  const image = await push('me/unsigned')
  const { code, stderr } = await notation().attempt('verify', plainHttp, image)
  expect(code).toBe(1)
  expect(stderr).toContain('no signature')
})
