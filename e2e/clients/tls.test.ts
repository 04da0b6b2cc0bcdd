import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeCertificates } from '../support/certificates.ts'
import { shared, sharedScratch } from '../support/client-test.ts'
import { ContainerTools } from '../support/container-tools.ts'
import { DockerEngine, dockerPeers } from '../support/docker-engine.ts'
import { homedClient } from '../support/homed-client.ts'
import { makeLayout } from '../support/image-layout.ts'
import { OwnAddress } from '../support/own-address.ts'
import { requirePeers, type PeerName } from '../support/peers.ts'
import { startRegistryUnderTest } from '../support/registry.ts'
import { greet, greeting, makeRootfs } from '../support/rootfs.ts'

/** A registry with HTTPS, at an address that is not loopback if possible. */
async function startSecureRegistry() {
  const stack = new AsyncDisposableStack()
  const own = stack.use(await OwnAddress.find())
  const ip = own?.ip ?? '127.0.0.1'
  const certificates = await makeCertificates(scratch(), ip)
  const settings = { OPEN_REGISTRY_AUTH_ALLOW_OPEN_NETWORK: 'true' }
  const tls = { cert: certificates.cert, key: certificates.key }
  const registry = stack.use(await startRegistryUnderTest({ host: '0.0.0.0', tls, settings }))
  return {
    address: registry.addressAt(ip),
    onLoopback: own === null,
    authority: certificates.authority,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

const scratch = sharedScratch()
const secure = shared(startSecureRegistry, ['openssl'])

/** A folder with the certificate of the authority, under the name that engines look for. */
function certificateFolder(name: string): string {
  const folder = scratch().folder(name)
  copyFileSync(secure().authority, join(folder, 'ca.crt'))
  return folder
}

function tlsTest(peers: readonly [PeerName, ...PeerName[]], where: string, body: () => Promise<void>): void {
  test(`${peers[0]}: the certificate authority by ${where}; unknown without`, async (context) => {
    requirePeers(context, [...peers, 'openssl', 'busybox'])
    await body()
  })
}

test('docker: the certificate authority by /etc/docker/certs.d; unknown without', async (context) => {
  requirePeers(context, [...dockerPeers, 'openssl'])
  if (secure().onLoopback) context.skip('no address besides loopback, where Docker asks for no certificate')
  const { address } = secure()
  // This machine's /etc/docker stays as it is: the daemon alone sees another folder there.
  const folder = scratch().folder('etc-docker')
  const mount = 'mkdir -p /etc/docker && mount --bind "$0" /etc/docker && exec "$@"'
  await using engine = await DockerEngine.start({}, ['unshare', '--mount', 'sh', '-c', mount, folder])
  const image = `${address}/me/docker:1`
  await engine.import(await makeRootfs(scratch()), image, greet)
  const refused = await engine.docker.attempt('push', '--quiet', image)
  expect(refused.stderr).toContain('certificate signed by unknown authority')

  certificateFolder(join('etc-docker', 'certs.d', address))
  await engine.docker.run('push', '--quiet', image)
  await engine.docker.run('rmi', '--force', image)
  await engine.docker.run('pull', '--quiet', image)
})

tlsTest(['podman'], '--cert-dir', async () => {
  await using tools = new ContainerTools()
  const image = `${secure().address}/me/podman:1`
  await tools.import(await makeRootfs(scratch()), image, greet)
  const refused = await tools.podman.attempt('push', '-q', image)
  expect(refused.stderr).toContain('certificate signed by unknown authority')

  const trust = ['--cert-dir', certificateFolder('podman-certs')]
  await tools.podman.run('push', '-q', ...trust, image)
  await tools.podman.run('rmi', '-f', image)
  await tools.podman.run('pull', '-q', ...trust, image)
  expect(await tools.podman.run('run', '--rm', '--network', 'none', image)).toBe(greeting)
})

tlsTest(['skopeo'], '--dest-cert-dir', async () => {
  await using tools = new ContainerTools()
  const { folder } = await makeLayout(scratch(), 'skopeo')
  const image = `docker://${secure().address}/me/skopeo:1`
  const refused = await tools.skopeo.attempt('copy', '-q', `oci:${folder}:1`, image)
  expect(refused.stderr).toContain('certificate signed by unknown authority')
  const trust = certificateFolder('skopeo-certs')
  await tools.skopeo.run('copy', '-q', '--dest-cert-dir', trust, `oci:${folder}:1`, image)
  await tools.skopeo.run('inspect', '--cert-dir', trust, image)
})

tlsTest(['crane'], 'SSL_CERT_FILE', async () => {
  const crane = homedClient('crane', scratch())
  const { folder } = await makeLayout(scratch(), 'crane')
  const image = `${secure().address}/me/crane:1`
  const refused = await crane.attempt('push', folder, image)
  expect(refused.stderr).toContain('certificate signed by unknown authority')
  const trusting = crane.with({ env: { SSL_CERT_FILE: secure().authority } })
  await trusting.run('push', folder, image)
  await trusting.run('validate', '--remote', image)
})

tlsTest(['oras'], '--ca-file', async () => {
  const oras = homedClient('oras', scratch())
  scratch().file('oras-home/note.txt', 'a note\n')
  const push = ['push', `${secure().address}/me/oras:1`, 'note.txt:text/plain']
  expect((await oras.attempt(...push)).stderr).toContain('certificate signed by unknown authority')
  await oras.run(...push, '--ca-file', secure().authority)
})

tlsTest(['helm'], '--ca-file', async () => {
  const helm = homedClient('helm', scratch())
  await helm.run('create', 'chart')
  await helm.run('package', 'chart')
  const push = ['push', 'chart-0.1.0.tgz', `oci://${secure().address}/charts`]
  expect((await helm.attempt(...push)).stderr).toContain('certificate signed by unknown authority')
  await helm.run(...push, '--ca-file', secure().authority)
})
