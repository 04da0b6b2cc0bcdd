import { setTimeout as delay } from 'node:timers/promises'
import { randomImage, type Image } from '@openregistry/testkit'
import { expect, test } from 'vitest'
import { expectBlob } from '../conformance/expectations.ts'
import type { Repository } from '../conformance/repository.ts'
import { useReplicas } from './replicas.ts'

const replicas = useReplicas()

/** What an upload that a dying server broke may be answered with, by it or by the balancer. */
const brokenOff = new Set([502, 503])

/** Pushes an image as a client does that tries a broken push again from its beginning. */
async function pushUntilAcknowledged(repository: Repository, image: Image, tag: string): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    if (await tryToPush(repository, image, tag)) return attempt
  }
}

async function tryToPush(repository: Repository, image: Image, tag: string): Promise<boolean> {
  for (const { digest, bytes } of image.blobs) {
    const path = `blobs/uploads/?digest=${digest}`
    const headers = { 'content-type': 'application/octet-stream' }
    const answer = await repository.send(path, { method: 'POST', body: bytes, headers }).catch(() => null)
    if (answer === null || brokenOff.has(answer.status)) return false
    expect(answer.status).toBe(201)
  }
  const answer = await repository.sendManifest(image.manifest, tag).catch(() => null)
  if (answer === null || brokenOff.has(answer.status)) return false
  expect(answer.status, answer.text()).toBe(201)
  return true
}

test('one replica is killed under load and comes back: everything acknowledged is there', async () => {
  const repository = replicas.repository()
  const pushed: { image: Image; tag: string }[] = []
  let broken = 0
  let running = true
  const pusher = async (name: string): Promise<void> => {
    for (let number = 0; running; number++) {
      const image = randomImage(replicas.random, { layers: 2 })
      const tag = `${name}-${number}`
      broken += (await pushUntilAcknowledged(repository, image, tag)) - 1
      pushed.push({ image, tag })
    }
  }
  const pushers = Promise.all(['a', 'b', 'c', 'd'].map(pusher))
  for (let round = 1; round <= 3; round++) {
    await until(() => pushed.length >= 20 * round)
    const victim = replicas.server(round % 3)
    await victim.kill()
    const before = pushed.length
    await until(() => pushed.length >= before + 10)
    await victim.start()
  }
  running = false
  await pushers
  expect(broken).toBeGreaterThan(0)
  for (const [index, { image, tag }] of pushed.entries()) {
    const asked = replicas.at(index % 3, repository)
    expect((await asked.pullManifest(tag)).body.equals(image.manifest.bytes), tag).toBe(true)
    for (const blob of image.blobs) await expectBlob(asked, blob)
  }
})

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(10)
}
