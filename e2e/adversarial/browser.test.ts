import { digestOf, randomImage } from '@openregistry/testkit'
import { expect, test } from 'vitest'
import { openPage, openPageUntil, requireChromium } from './chromium.ts'
import { serveForeignPage, serveVictim } from './foreign-page.ts'
import { useRegistry } from './local-registry.ts'

const registry = useRegistry()
const digest = digestOf(Buffer.from('evil'))

test('the page of another site can do to an unguarded server what it tries', async (context) => {
  requireChromium(context)
  await using victim = await serveVictim()
  await using site = await serveForeignPage(`http://127.0.0.1:${victim.port}`, digest)
  const report = await openPageUntil(`http://127.0.0.1:${site.port}/`, site.report)
  expect(report['read']).toContain('taken')
  const paths = victim.taken.map((line) => line.replace(/\?.*/, ''))
  for (const expected of [
    'POST /v2/evil/fetch/blobs/uploads/',
    'PUT /v2/evil/fetch/manifests/v1',
    'DELETE /v2/victim/app/manifests/v1',
    'POST /v2/evil/beacon/blobs/uploads/',
    'POST /v2/evil/xhr/blobs/uploads/',
    'POST /v2/evil/form/blobs/uploads/',
    'POST /v2/evil/multipart/blobs/uploads/',
  ]) {
    expect(paths).toContain(expected)
  }
})

test.for(['127.0.0.1', 'localhost'])(
  'a page at %s on another port pushes, reads and deletes nothing',
  async (host, context) => {
    requireChromium(context)
    const image = randomImage(registry.random)
    await registry.repository('victim/app').pushImage(image, 'v1')
    const before = [registry.stored.content(), registry.stored.repositories(), registry.stored.openUploads()]
    await using site = await serveForeignPage(registry.origin.origin, digest)
    const report = await openPageUntil(`http://${host}:${site.port}/`, site.report)
    for (const [attempt, outcome] of Object.entries(report)) {
      // What is sent blindly has an answer that the page cannot read; a form and a beacon tell nothing.
      const expected = /^refused: |^opaque 0 $|^(true|sent)$|ProgressEvent/
      expect(outcome, attempt).toMatch(expected)
    }
    expect(registry.stored.hasBlob(digest)).toBe(false)
    expect([
      registry.stored.content(),
      registry.stored.repositories(),
      registry.stored.openUploads(),
    ]).toEqual(before)
    expect((await registry.repository('victim/app').pullManifest('v1')).status).toBe(200)
  },
)

test('a name that was made to point here (DNS rebinding) gets nothing', async (context) => {
  requireChromium(context)
  await registry.repository('victim/app').pushImage(randomImage(registry.random), 'v1')
  const { port } = registry.origin
  const resolve = '--host-resolver-rules=MAP rebind.example 127.0.0.1'
  const catalog = await openPage(`http://rebind.example:${port}/v2/_catalog`, { flags: [resolve] })
  expect(catalog).toContain('DENIED')
  expect(catalog).not.toContain('victim')
})

test('a person with a browser sees the first page and the lists', async (context) => {
  requireChromium(context)
  await registry.repository('victim/app').pushImage(randomImage(registry.random), 'v1')
  expect(await openPage(registry.origin.href)).toContain('<h1>OpenRegistry</h1>')
  expect(await openPage(`${registry.origin.href}v2/_catalog`)).toContain('victim/app')
})
