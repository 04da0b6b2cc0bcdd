import type { Digest } from '@openregistry/oci'
import { expect, test } from 'vitest'
import { RepositoryModel, type KnownManifest } from './repository-model.ts'
import { tick, type Span } from './tick.ts'

const blob = 'sha256:b' as Digest
const hour = 3600_000

const now = (): Span => ({ from: tick(), until: tick() })
const later = (milliseconds: number): Span => ({ from: tick() + milliseconds, until: tick() + milliseconds })

function manifest(digest: string, subject: string | null = null): KnownManifest {
  const named = subject as Digest | null
  return { digest: digest as Digest, mediaType: 'm', bytes: Buffer.alloc(0), blobs: [blob], subject: named }
}

/** A repository with a blob, and with these manifests. */
function repositoryWith(...manifests: readonly KnownManifest[]): RepositoryModel {
  const repository = new RepositoryModel('r', { lease: hour, grace: 1000 })
  repository.linkBlob(blob).acknowledged(tick())
  for (const one of manifests) repository.putManifest(one, []).acknowledged(tick())
  return repository
}

const mayBeGone = (repository: RepositoryModel, span: Span): boolean =>
  repository.link(blob).mayBeGone(span, repository.isNeeded(blob, span))

test('a blob is safe for its lease, and as long as a manifest needs it', () => {
  expect(mayBeGone(repositoryWith(), now())).toBe(false)
  expect(mayBeGone(repositoryWith(), later(2 * hour))).toBe(true)
  expect(mayBeGone(repositoryWith(manifest('m')), later(2 * hour))).toBe(false)
})

test('a deleted manifest leaves its blobs the time of grace, and no lease', () => {
  const repository = repositoryWith(manifest('m'))
  repository.deleteManifest(manifest('m')).acknowledged(tick())
  expect(mayBeGone(repository, later(500))).toBe(false)
  expect(mayBeGone(repository, later(2000))).toBe(true)
})

test('a second deletion, of what is not there, gives no more time', () => {
  const repository = repositoryWith(manifest('m'))
  repository.deleteManifest(manifest('m')).acknowledged(tick() - 2000)
  repository.manifest(manifest('m')).live.pin(false)
  repository.link(blob).release(tick() - 2000, 1000, true)
  repository.deleteManifest(manifest('m')).refused()
  expect(mayBeGone(repository, now())).toBe(true)
})

test('what is deleted or hidden does not come back by itself', () => {
  const repository = repositoryWith(manifest('m'))
  repository.deleteBlob(blob).acknowledged(tick())
  expect(repository.link(blob).observe(true, now(), true)).toBe(false)
  repository.deleteRepository().acknowledged(tick())
  expect(repository.observeManifest('m' as Digest, true, now())).toBe(false)
})

test('referrers may follow their subject once its time of grace is over, and no others', () => {
  const repository = repositoryWith(manifest('m'), manifest('referrer', 'm'), manifest('other'))
  repository.deleteManifest(manifest('m')).acknowledged(tick())
  expect(repository.observeManifest('referrer' as Digest, false, later(500))).toBe(false)
  expect(repository.observeManifest('referrer' as Digest, false, later(2000))).toBe(true)
  expect(repository.observeManifest('other' as Digest, false, later(2000))).toBe(false)
})

test('a second deletion does not keep them, whether there was anything to delete or not', () => {
  for (const answer of ['refused', 'acknowledged'] as const) {
    const repository = repositoryWith(manifest('m'), manifest('referrer', 'm'))
    repository.deleteManifest(manifest('m')).acknowledged(tick())
    const span = later(996)
    while (tick() < span.until - 994);
    repository.deleteManifest(manifest('m'))[answer](tick())
    expect(repository.observeManifest('referrer' as Digest, false, span)).toBe(true)
  }
})

test('a push after the deletion keeps a referrer, until the next deletion', () => {
  const repository = repositoryWith(manifest('m'), manifest('referrer', 'm'))
  repository.deleteManifest(manifest('m')).acknowledged(tick())
  repository.putManifest(manifest('referrer', 'm'), []).acknowledged(tick())
  expect(repository.mayHaveFollowed('referrer' as Digest, later(2000))).toBe(false)
  repository.deleteManifest(manifest('m')).acknowledged(tick())
  expect(repository.mayHaveFollowed('referrer' as Digest, later(2000))).toBe(true)
})

test('a tag that is pushed while its repository is deleted may be there or not', () => {
  const repository = repositoryWith()
  const deletion = repository.deleteRepository()
  repository.putManifest(manifest('m'), ['latest']).acknowledged(tick())
  deletion.acknowledged(tick())
  expect(repository.tag('latest').possible(now())).toEqual(new Set([null, 'm']))
})

test('a manifest that is pushed while its repository is deleted cannot be restored for sure', () => {
  const repository = new RepositoryModel('r', { lease: hour, grace: 2 * hour })
  const deletion = repository.deleteRepository()
  const push = repository.putManifest(manifest('m'), [])
  deletion.acknowledged(tick())
  push.acknowledged(tick())
  expect(repository.isRestorable('m' as Digest)).toBe(false)
  repository.putManifest(manifest('m'), []).acknowledged(tick())
  expect(repository.isRestorable('m' as Digest)).toBe(true)
})
