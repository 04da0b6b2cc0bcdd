import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { mediaTypes } from '@openregistry/oci'
import { contentOf, type Content } from '@openregistry/testkit'
import { beforeAll, expect, test } from 'vitest'
import { expectBlob } from '../conformance/expectations.ts'
import type { Repository } from '../conformance/repository.ts'
import { requireProc, useChildRegistry } from './child-registry.ts'

const registry = useChildRegistry()
const mebi = 1024 * 1024
let repository: Repository
let blob: Content

beforeAll(async () => {
  repository = registry.repository()
  blob = contentOf(registry.random.bytes(8 * mebi))
  await repository.pushBlob(blob)
})

/** A connection whose bytes nobody reads until the test does. */
async function open(): Promise<Socket> {
  const socket = connect({ host: registry.origin.hostname, port: Number(registry.origin.port) })
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

const getBlob = (): string =>
  `GET ${repository.path(`blobs/${blob.digest}`)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`

/** Idle connections that this process may open: half of its files, since each is one here and one there. */
function affordable(wanted: number): number {
  const limits = readFileSync('/proc/self/limits', 'utf8')
  const files = Number(/Max open files\s+(\d+)/.exec(limits)?.[1] ?? 1024)
  return Math.min(wanted, Math.floor(files / 2) - 200)
}

test('2 000 connections that say nothing: others are served, and nothing is left of them', async (context) => {
  requireProc(context)
  const [files, memory] = [registry.openFiles(), registry.memory()]
  const count = affordable(2000)
  const sockets: Socket[] = []
  while (sockets.length < count) {
    sockets.push(...(await Promise.all(Array.from({ length: Math.min(100, count - sockets.length) }, open))))
  }
  // A quarter of them has begun a request.
  for (const [index, socket] of sockets.entries())
    if (index % 4 === 0) socket.write('GET /v2/ HTTP/1.1\r\nX: ')
  await expectBlob(repository, blob)
  expect((await registry.http.send({ path: '/v2/' })).status).toBe(200)
  // A connection that the kernel holds for the server is open here and not yet there.
  await expect.poll(() => registry.openFiles(), { timeout: 20_000 }).toBeGreaterThanOrEqual(count)
  expect(registry.memory() - memory, 'MiB').toBeLessThan(120)
  for (const socket of sockets) socket.destroy()
  await registry.untilOpenFiles(files + 2)
})

test('clients that go away in the middle of a blob: their files are closed, and nobody is told of a fault', async (context) => {
  requireProc(context)
  const files = registry.openFiles()
  for (let round = 0; round < 10; round++) {
    const sockets = await Promise.all(Array.from({ length: 10 }, open))
    for (const socket of sockets) socket.write(getBlob())
    await Promise.all(sockets.map((socket) => once(socket, 'readable')))
    for (const [index, socket] of sockets.entries()) {
      if (index % 2 === 0) socket.resetAndDestroy()
      else socket.destroy()
    }
  }
  await registry.untilOpenFiles(files + 2)
  expect(registry.faults()).toEqual([])
})

test('20 000 requests at once on one connection open one file, not 20 000', async (context) => {
  requireProc(context)
  const [files, memory] = [registry.openFiles(), registry.memory()]
  const socket = await open()
  const flushed = once(socket, 'drain')
  socket.write(getBlob().repeat(20_000))
  // What the system keeps for us is less than what we send: the registry has stopped reading by now, or has taken all.
  await Promise.race([flushed, expectBlob(repository, blob)])
  for (let round = 0; round < 10; round++) {
    expect(registry.openFiles()).toBeLessThan(files + 20)
    await expectBlob(repository, blob)
    await setImmediate()
  }
  expect(registry.memory() - memory, 'MiB').toBeLessThan(120)
  socket.destroy()
  await registry.untilOpenFiles(files + 2)
})

test('a manifest in chunks of a byte each takes no more memory than one in a piece', async (context) => {
  requireProc(context)
  const text = `{"schemaVersion":2,"manifests":[],"x":"${'x'.repeat(mebi / 2)}"}`
  const socket = await open()
  const memory = registry.memory()
  socket.write(
    `PUT ${repository.path('manifests/bytes')} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: ${mediaTypes.ociIndex}\r\n` +
      'Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n',
  )
  socket.write(
    `${text
      .split('')
      .map((byte) => `1\r\n${byte}\r\n`)
      .join('')}0\r\n\r\n`,
  )
  const [answer] = (await once(socket, 'data')) as [Buffer]
  expect(answer.toString('latin1')).toMatch(/^HTTP\/1\.1 201 /)
  socket.destroy()
  expect(registry.memory() - memory, 'MiB').toBeLessThan(120)
  expect((await repository.pullManifest('bytes')).text()).toBe(text)
})

test('a large upload takes a few pieces of memory, and so does one that never ends', async (context) => {
  requireProc(context)
  const peak = registry.peakMemory()
  const piece = registry.random.bytes(mebi)
  async function* stream(count: number): AsyncGenerator<Uint8Array> {
    for (let sent = 0; sent < count; sent++) yield piece
  }
  const uploads = await Promise.all(Array.from({ length: 4 }, () => repository.openUpload()))
  const answers = await Promise.all(uploads.map((upload) => upload.stream(stream(64), 'chunked')))
  expect(answers.map((answer) => answer.status)).toEqual([202, 202, 202, 202])
  expect(registry.peakMemory() - peak, 'MiB').toBeLessThan(150)
  for (const upload of uploads) expect((await upload.cancel()).status).toBe(204)
})
