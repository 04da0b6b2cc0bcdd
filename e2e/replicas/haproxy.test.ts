import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { HttpClient, randomImage } from '@openregistry/testkit'
import { beforeEach, expect, test } from 'vitest'
import { expectBlob } from '../conformance/expectations.ts'
import { cleanEnvironment } from '../support/environment.ts'
import { freePort } from '../support/free-port.ts'
import { peerPath, requirePeers } from '../support/peers.ts'
import { Scratch } from '../support/scratch.ts'
import { Service } from '../support/service.ts'
import { useReplicas } from './replicas.ts'

const replicas = useReplicas()
beforeEach((context) => requirePeers(context, ['haproxy']))

/** The configuration that `docs/operations.md` gives, with the addresses of this test. */
function configuration(port: number): string {
  const page = readFileSync(join(import.meta.dirname, '../../docs/operations.md'), 'utf8')
  const written = /```haproxy\n([^`]*)```/.exec(page)?.[1]
  if (written === undefined) throw new Error('docs/operations.md has no configuration of HAProxy.')
  let text = written.replace('bind :5000', `bind 127.0.0.1:${port}`)
  for (const [index, { origin }] of replicas.servers.entries()) {
    text = text.replace(`registry-${index + 1}:5000`, new URL(origin).host)
  }
  return `${text.replaceAll(/^ {3}/gm, '')}\n`
}

test('the HAProxy of the documentation balances, and leaves out a replica that stops', async () => {
  await using scratch = new Scratch()
  const port = await freePort()
  const http = new HttpClient(`http://127.0.0.1:${port}`)
  await using _service = await Service.start({
    ...{ name: 'haproxy', command: peerPath('haproxy') },
    args: ['-db', '-f', scratch.file('haproxy.cfg', configuration(port))],
    ...{ env: cleanEnvironment(scratch.path), cwd: scratch.path },
    logFile: join(scratch.path, 'log'),
    ready: () =>
      http.send({ path: '/readyz' }).then(
        ({ status }) => status === 200,
        () => false,
      ),
  })
  const repository = replicas.repository(undefined, http)
  const image = randomImage(replicas.random, { layers: 3, layerSize: 200_000 })
  await repository.pushImage(image, 'latest')
  await replicas.server(0).stop()
  for (let round = 0; round < 12; round++) {
    expect((await repository.pullManifest('latest')).body.equals(image.manifest.bytes)).toBe(true)
    for (const blob of image.blobs) await expectBlob(repository, blob)
  }
  http[Symbol.dispose]()
})
