import { join } from 'node:path'
import { expect } from 'vitest'
import { clientTest, sharedRegistry, sharedScratch } from '../support/client-test.ts'
import { homedClient } from '../support/homed-client.ts'
import { makeLayout } from '../support/image-layout.ts'
import { pushLayout } from '../support/push-layout.ts'
import { RegistryApi } from '../support/registry-api.ts'

const scratch = sharedScratch()
const registry = sharedRegistry()
const peers = ['cosign', 'busybox'] as const
const allowHttp = '--allow-http-registry'

/** cosign in its home, where its keys are. */
const cosign = () => homedClient('cosign', scratch(), { COSIGN_PASSWORD: '' })

/** No transparency log and no trusted root of the Internet: a key is all there is. */
async function offline() {
  const config = join(scratch().path, 'signing-config.json')
  await cosign().run('signing-config', 'create', '--out', config)
  const mediaType = 'application/vnd.dev.sigstore.trustedroot+json;version=0.1'
  const root = scratch().file('trusted-root.json', JSON.stringify({ mediaType }))
  return {
    sign: ['--yes', '--signing-config', config, '--trusted-root', root, allowHttp],
    verify: ['--insecure-ignore-tlog=true', '--trusted-root', root, allowHttp],
  }
}

/** Pushes an image. @returns its reference by digest. */
async function push(repository: string): Promise<string> {
  const layout = await makeLayout(scratch(), repository.replace('/', '-'))
  await pushLayout(registry().url, repository, layout)
  return `${registry().address}/${repository}@${layout.digest}`
}

/** Makes `<name>.key` and `<name>.pub`. */
async function makeKey(name: string): Promise<void> {
  await cosign().run('generate-key-pair', '--output-key-prefix', name)
}

clientTest(peers, 'sign with a key, verify; the signature is a referrer and no tag', async () => {
  const { sign, verify } = await offline()
  await makeKey('own')
  const image = await push('me/signed')
  await cosign().run('sign', '--key', 'own.key', ...sign, image)
  await cosign().run('verify', '--key', 'own.pub', ...verify, `${registry().address}/me/signed:1`)

  const api = new RegistryApi(registry().url)
  const [, digest = ''] = image.split('@')
  const artifactType = 'application/vnd.dev.sigstore.bundle.v0.3+json'
  expect(await api.referrers('me/signed', digest)).toMatchObject([{ artifactType }])
  expect(await api.tags('me/signed')).toEqual(['1'])
})

clientTest(peers, 'another key, or no signature, does not verify', async () => {
  const { sign, verify } = await offline()
  await makeKey('signer')
  await makeKey('stranger')
  const image = await push('me/other')
  const unsigned = await push('me/unsigned')
  await cosign().run('sign', '--key', 'signer.key', ...sign, image)
  expect((await cosign().attempt('verify', '--key', 'stranger.pub', ...verify, image)).code).not.toBe(0)
  expect((await cosign().attempt('verify', '--key', 'signer.pub', ...verify, unsigned)).code).not.toBe(0)
})

clientTest(peers, 'attest, verify the attestation, show the tree', async () => {
  const { sign, verify } = await offline()
  await makeKey('attester')
  const image = await push('me/attested')
  const predicate = scratch().file('predicate.json', '{"built": "here"}')
  const about = ['--predicate', predicate, '--type', 'custom']
  await cosign().run('attest', '--key', 'attester.key', ...sign, ...about, image)
  await cosign().run('verify-attestation', '--type', 'custom', '--key', 'attester.pub', ...verify, image)
  expect(await cosign().run('tree', allowHttp, image)).toContain('sha256:')
  expect(await new RegistryApi(registry().url).tags('me/attested')).toEqual(['1'])
})

clientTest(peers, 'the older layout, a signature under a tag, still works', async () => {
  await makeKey('older')
  const image = await push('me/older')
  const old = ['--use-signing-config=false', '--tlog-upload=false', '--new-bundle-format=false', allowHttp]
  await cosign().run('sign', '--yes', '--key', 'older.key', ...old, image)
  const look = ['--new-bundle-format=false', '--insecure-ignore-tlog=true', allowHttp]
  await cosign().run('verify', '--key', 'older.pub', ...look, image)
  const tag = `${image.split('@')[1]?.replace(':', '-')}.sig`
  expect(await new RegistryApi(registry().url).tags('me/older')).toEqual(['1', tag])
})
