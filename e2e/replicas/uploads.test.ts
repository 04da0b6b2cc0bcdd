import { randomFillSync } from 'node:crypto'
import { mediaTypes } from '@openregistry/oci'
import { contentOf, type Content, type OpenRequest } from '@openregistry/testkit'
import { describe, expect, test } from 'vitest'
import { expectBlob, expectNoBlob, expectRefusal } from '../conformance/expectations.ts'
import { UploadSession } from '../conformance/upload-session.ts'
import { useReplicas } from './replicas.ts'

const replicas = useReplicas()
const mebibyte = 1024 * 1024

function randomBlob(size: number): Content {
  return contentOf(replicas.random.bytes(size))
}

/** The same session, asked at one replica. */
function at(index: number, session: UploadSession): UploadSession {
  return new UploadSession(replicas.server(index).http, session.opened)
}

describe('An upload whose every request lands elsewhere', () => {
  test('chunks, status and the last chunk in PUT', async () => {
    const repository = replicas.repository()
    const content = randomBlob(5 * mebibyte)
    const upload = await repository.openUpload()
    for (let start = 0; start < 4 * mebibyte; start += mebibyte) {
      const response = await upload.chunk(content.bytes.subarray(start, start + mebibyte), start)
      expect(response.status).toBe(202)
      expect((await upload.status()).header('range')).toBe(`0-${start + mebibyte - 1}`)
    }
    const last = { body: content.bytes.subarray(4 * mebibyte), start: 4 * mebibyte }
    expect((await upload.finish(content.digest, last)).status).toBe(201)
    for (const index of [0, 1, 2]) await expectBlob(replicas.at(index, repository), content)
  })

  test('what arrived before a connection broke is there at the next replica', async () => {
    const repository = replicas.repository()
    const content = randomBlob(3 * mebibyte)
    const upload = await repository.openUpload()
    const broken = at(0, upload).begin('PATCH', {
      'content-type': 'application/octet-stream',
      'content-length': String(content.bytes.length),
    })
    broken.response.catch(() => undefined)
    await broken.write(content.bytes.subarray(0, 2 * mebibyte))
    broken.abort()
    const elsewhere = at(1, upload)
    let offset = 0
    // The first replica needs a moment to notice and to make what it has durable.
    while (offset === 0) offset = offsetOf((await elsewhere.status()).header('range'))
    expect((await elsewhere.chunk(content.bytes.subarray(offset), offset)).status).toBe(202)
    expect((await at(2, upload).finish(content.digest)).status).toBe(201)
    await expectBlob(repository, content)
  })

  test('cancelled at one, it is gone at all', async () => {
    const repository = replicas.repository()
    const upload = await repository.openUpload()
    expect((await at(0, upload).chunk(randomBlob(100).bytes, 0)).status).toBe(202)
    expect((await at(1, upload).cancel()).status).toBe(204)
    for (const index of [0, 1, 2]) expect((await at(index, upload).status()).status).toBe(404)
  })

  test('1 GiB in chunks of 5 MiB costs about twice the bytes, not their square', async (context) => {
    if (process.platform !== 'linux') context.skip('counts bytes in /proc, which is Linux')
    const repository = replicas.repository()
    const size = 1024 * mebibyte
    const chunk = 5 * mebibyte
    const content = contentOf(randomFillSync(Buffer.allocUnsafe(size)))
    const before = replicas.bytesMoved()
    const upload = await repository.openUpload()
    for (let start = 0; start < size; start += chunk) {
      expect((await upload.chunk(content.bytes.subarray(start, start + chunk), start)).status).toBe(202)
    }
    expect((await upload.finish(content.digest)).status).toBe(201)
    const after = replicas.bytesMoved()
    // Written once as parts and once joined; read once from the client and once to be joined.
    expect((after.written - before.written) / size).toBeLessThan(2.3)
    expect((after.read - before.read) / size).toBeLessThan(2.3)
  })
})

describe('Two writers of one session', () => {
  test('one of them wins, the other is told where to go on, and goes on', async () => {
    for (let round = 0; round < 10; round++) {
      const repository = replicas.repository()
      const content = randomBlob(60_000)
      const upload = await repository.openUpload()
      const first = content.bytes.subarray(0, 30_000)
      const answers = await Promise.all([0, 1].map((index) => at(index, upload).chunk(first, 0)))
      expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([202, 416])
      const loser = answers.findIndex(({ status }) => status === 416)
      expect(answers[loser]?.header('range')).toBe('0-29999')
      const rest = { body: content.bytes.subarray(30_000), start: 30_000 }
      expect((await at(loser, upload).finish(content.digest, rest)).status).toBe(201)
      await expectBlob(repository, content)
    }
  })

  test('one that slept and lost its turn changes nothing', async () => {
    const repository = replicas.repository()
    const content = randomBlob(2 * mebibyte)
    const other = randomBlob(2 * mebibyte)
    const upload = await repository.openUpload()
    const sleeper = at(0, upload).begin('PATCH', {
      'content-type': 'application/octet-stream',
      'content-length': String(other.bytes.length),
    })
    await sleeper.write(other.bytes.subarray(0, mebibyte))
    expect((await at(1, upload).finish(content.digest, { body: content.bytes })).status).toBe(201)
    expectRefusal(await endWith(sleeper, other.bytes.subarray(mebibyte)), 404)
    await expectBlob(repository, content)
    await expectNoBlob(repository, other.digest)
  })
})

describe('The same content from all sides', () => {
  test('a tag that is pushed at all replicas at once names one of the manifests, everywhere', async () => {
    const repository = replicas.repository()
    const config = contentOf('{}', { mediaType: mediaTypes.ociEmpty })
    await repository.pushBlob(config)
    for (let round = 0; round < 20; round++) {
      const manifests = [0, 1, 2].map((index) => manifestOf(config, `${round}.${index}`))
      const answers = await Promise.all(
        manifests.map((manifest, index) => replicas.at(index, repository).sendManifest(manifest, 'latest')),
      )
      expect(answers.map(({ status }) => status)).toEqual([201, 201, 201])
      const seen = await Promise.all(
        [0, 1, 2].map((index) => replicas.at(index, repository).pullManifest('latest', 'HEAD')),
      )
      const digests = new Set(seen.map((response) => response.header('docker-content-digest')))
      expect(digests.size).toBe(1)
      expect(manifests.map(({ digest }) => digest)).toContain([...digests][0])
    }
  })

  test('a blob and a repository that are created at all replicas at once', async () => {
    for (let round = 0; round < 10; round++) {
      const repository = replicas.repository()
      const content = randomBlob(40_000)
      await Promise.all([0, 1, 2, 0, 1, 2].map((index) => replicas.at(index, repository).pushBlob(content)))
      await expectBlob(repository, content)
    }
  })
})

function manifestOf(config: Content, mark: string): Content {
  const descriptor = { mediaType: config.mediaType, digest: config.digest, size: config.bytes.length }
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: descriptor,
    layers: [descriptor],
    annotations: { mark },
  }
  return contentOf(JSON.stringify(manifest), { mediaType: mediaTypes.ociManifest })
}

async function endWith(request: OpenRequest, bytes: Uint8Array) {
  await Promise.race([request.write(bytes), request.response])
  request.end()
  return await request.response
}

/** The byte after the last one of a `Range` like `0-99`; 0 for `0-0`, which says nothing arrived. */
function offsetOf(range: string | null): number {
  const last = Number(/^0-(\d+)$/.exec(range ?? '')?.[1] ?? 0)
  return last === 0 ? 0 : last + 1
}
