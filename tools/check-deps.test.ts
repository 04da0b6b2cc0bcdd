import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkTree } from './check-deps/check-tree.ts'

let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'check-deps-'))
  for (const name of ['oci', 'dag', 'core', 'blobs', 'metadata', 'sdk', 'testkit'])
    addPackage('packages', name)
  addPackage('packages', 'server', { '.': './src/index.ts', './config': './src/config/index.ts' })
  addPackage('apps', 'openregistry')
})

afterEach(() => rmSync(root, { recursive: true }))

function addPackage(parent: string, name: string, exports: unknown = './src/index.ts'): void {
  write(`${parent}/${name}/package.json`, JSON.stringify({ name: `@openregistry/${name}`, exports }))
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

/** What is wrong with a tree in which this one source was added. */
function findingsOf(path: string, text: string): string[] {
  write(path, text)
  return checkTree(root).findings.map((finding) => finding.replace(`${path}:`, ''))
}

describe('forbidden', () => {
  test.each([
    ['an arrow that is not drawn', 'packages/oci/src/a.ts', "import { x } from '@openregistry/core'"],
    ['an arrow against the drawn one', 'packages/core/src/a.ts', "export * from '@openregistry/server'"],
    [
      'a driver that imports another',
      'packages/blobs/src/a.ts',
      "import { x } from '@openregistry/metadata'",
    ],
    ['an erased import', 'packages/sdk/src/a.ts', "import type { X } from '@openregistry/core'"],
    ['a type named in place', 'packages/sdk/src/a.ts', "export type Y = import('@openregistry/core').X"],
    ['a dynamic import', 'packages/sdk/src/a.ts', "export const y = await import('@openregistry/core')"],
    [
      'a worker of another package',
      'packages/sdk/src/a.ts',
      "new URL('../../core/src/b.ts', import.meta.url)",
    ],
    ['an arrow in a test', 'packages/oci/src/a.test.ts', "import { x } from '@openregistry/server'"],
  ])('%s', (_, path, text) => {
    expect(findingsOf(path, text)).not.toEqual([])
  })

  test('a package that nobody drew', () => {
    addPackage('packages', 'surprise')
    expect(checkTree(root).findings).toEqual(['packages/surprise/:1  not in the drawing of the architecture'])
  })

  test('a path into another package', () => {
    expect(findingsOf('packages/core/src/a.ts', "\nimport { x } from '../../oci/src/digest.ts'")).toEqual([
      '2  ../../oci/src/digest.ts leaves the package; import @openregistry/oci',
    ])
  })

  test('a subpath that is not exported', () => {
    expect(
      findingsOf('packages/core/src/a.ts', "import { x } from '@openregistry/oci/src/digest.ts'"),
    ).toEqual(['1  @openregistry/oci/src/digest.ts is not exported by its package'])
  })

  test('testkit outside of a test', () => {
    expect(findingsOf('packages/blobs/src/a.ts', "import type { X } from '@openregistry/testkit'")).toEqual([
      '1  testkit is for tests',
    ])
  })

  test('what tests share outside of a test', () => {
    expect(findingsOf('packages/blobs/src/a.ts', "import { x } from './testing/b.ts'")).toEqual([
      '1  ./testing/b.ts is for tests',
    ])
  })

  test.each([
    ['process.env.X'],
    ["process['env']"],
    ['globalThis.process.env'],
    ["import { env } from 'node:process'"],
    ['const { env } = process'],
  ])('the environment in a driver: %s', (text) => {
    expect(findingsOf('packages/blobs/src/a.ts', text)).toEqual([
      '1  the environment is read by configuration alone',
    ])
  })

  test('the environment in the server, outside of its configuration', () => {
    expect(findingsOf('packages/server/src/v2/a.ts', 'process.env.X')).not.toEqual([])
  })

  test.each([["import 'node:fs'"], ["import { createHash } from 'crypto'"], ["await import('node:zlib')"]])(
    'a module of Node where browsers run: %s',
    (text) => {
      expect(findingsOf('packages/oci/src/a.ts', text)).toHaveLength(1)
      expect(findingsOf('packages/dag/src/a.ts', text)).toHaveLength(2)
    },
  )

  test('a global of Node where browsers run', () => {
    expect(findingsOf('packages/dag/src/a.ts', "Buffer.from('')")).toEqual([
      '1  Buffer is not there in browsers, dag runs in them',
    ])
  })

  test('a driver folder that imports its sibling', () => {
    expect(findingsOf('packages/blobs/src/disk/a.ts', "import { x } from '../memory/b.ts'")).toEqual([
      '1  driver disk may not import driver memory',
    ])
  })

  test.each([
    ['libp2p'],
    ['@libp2p/tcp'],
    ['@aws-sdk/client-s3'],
    ['@grpc/grpc-js'],
    ['@chainsafe/libp2p-yamux'],
  ])('a heavy tree that is loaded at once: %s', (name) => {
    expect(findingsOf('packages/server/src/a.ts', `import { x } from '${name}'`)).toEqual([
      `1  ${name} is heavy; load it with import() when it is needed`,
    ])
  })

  test('a path into the product from a development folder', () => {
    expect(findingsOf('bench/a.ts', "import { x } from '../packages/oci/src/digest.ts'")).not.toEqual([])
  })

  test('a source that cannot be parsed', () => {
    expect(findingsOf('packages/oci/src/a.ts', 'const = 1')).toEqual([
      expect.stringContaining('cannot be parsed'),
    ])
  })
})

describe('allowed', () => {
  test.each([
    ['a drawn arrow', 'packages/core/src/a.ts', "import { x } from '@openregistry/oci'"],
    ['an exported subpath', 'apps/openregistry/src/a.ts', "import { x } from '@openregistry/server/config'"],
    ['testkit in a test', 'packages/blobs/src/a.test.ts', "import { x } from '@openregistry/testkit'"],
    ['testkit in what tests share', 'packages/blobs/src/testing/a.ts', "import '@openregistry/testkit'"],
    ['the environment in the command', 'apps/openregistry/src/a.ts', 'process.env.X'],
    ['the environment in the configuration', 'packages/server/src/config/a.ts', 'process.env.X'],
    ['a property that is called as a global', 'packages/oci/src/a.ts', 'x.process; const y = { Buffer: 1 }'],
    ['a module of Node in a test', 'packages/oci/src/a.test.ts', "import 'node:fs'"],
    ['a heavy tree on demand', 'packages/server/src/a.ts', "const x = await import('libp2p')"],
    ['a heavy type', 'packages/server/src/a.ts', "import type { X } from 'libp2p'"],
    ['the contract in a driver', 'packages/blobs/src/disk/a.ts', "import { x } from '../pieces.ts'"],
    ['the composition root end to end', 'e2e/a.ts', "import '../apps/openregistry/src/composition.ts'"],
    [
      'an import that is only mentioned',
      'packages/oci/src/a.ts',
      "// import 'node:fs'\nconst x = `import 'fs'`",
    ],
  ])('%s', (_, path, text) => {
    expect(findingsOf(path, text)).toEqual([])
  })
})
