import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseTarget } from './route.ts'

describe('parseTarget', () => {
  test.each([
    ['', { kind: 'base' }],
    ['/', { kind: 'base' }],
    ['/_catalog', { kind: 'catalog' }],
    ['/_oci/ext/discover', { kind: 'extensions', name: null }],
    ['/a/b/_oci/ext/discover', { kind: 'extensions', name: 'a/b' }],
    ['/app/tags/list', { kind: 'tags', name: 'app' }],
    ['/app/manifests/v1', { kind: 'manifest', name: 'app', reference: 'v1' }],
    ['/app/manifests/sha256%3Aab', { kind: 'manifest', name: 'app', reference: 'sha256:ab' }],
    ['/app/manifests/%zz', { kind: 'manifest', name: 'app', reference: '%zz' }],
    ['/a/b/c/blobs/sha256:ab', { kind: 'blob', name: 'a/b/c', digest: 'sha256:ab' }],
    ['/app/blobs/uploads/', { kind: 'uploads', name: 'app' }],
    ['/app/blobs/uploads', { kind: 'uploads', name: 'app' }],
    ['/app/blobs/uploads/0f', { kind: 'upload', name: 'app', id: '0f' }],
    ['/app/referrers/sha256:ab', { kind: 'referrers', name: 'app', digest: 'sha256:ab' }],
  ])('%s', (path, target) => expect(parseTarget(path)).toEqual(target))

  test.each([
    ['/blobs/manifests/v1', { kind: 'manifest', name: 'blobs', reference: 'v1' }],
    ['/manifests/tags/list', { kind: 'tags', name: 'manifests' }],
    ['/tags/list/manifests/list', { kind: 'manifest', name: 'tags/list', reference: 'list' }],
    ['/a/blobs/uploads/manifests/x', { kind: 'manifest', name: 'a/blobs/uploads', reference: 'x' }],
    ['/uploads/blobs/uploads/1', { kind: 'upload', name: 'uploads', id: '1' }],
    ['/blobs/blobs/uploads/', { kind: 'uploads', name: 'blobs' }],
  ])('components that look like routes: %s', (path, target) => expect(parseTarget(path)).toEqual(target))

  test.each(['/app', '/tags/list', '/app/tags/other', '/app/nothing/here', '//', '/blobs/uploads/'])(
    'nothing at %s',
    (path) => expect(parseTarget(path)).toBeNull(),
  )

  test('never throws, whatever the path', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseTarget(`/${text}`)))
  })
})
