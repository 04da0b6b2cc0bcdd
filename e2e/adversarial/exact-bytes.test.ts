import { gzipSync } from 'node:zlib'
import { mediaTypes } from '@openregistry/oci'
import { contentOf, descriptorOf, emptyJson, type Content } from '@openregistry/testkit'
import { describe, expect, test } from 'vitest'
import { expectBlob } from '../conformance/expectations.ts'
import { useRegistry } from './local-registry.ts'

const registry = useRegistry()

const image = ['"schemaVersion":2', `"config":${JSON.stringify(descriptorOf(emptyJson))}`, '"layers":[]']
const index = ['"schemaVersion":2', '"manifests":[]']

/** The members that each type of manifest needs. */
const kinds: [mediaType: string, members: readonly string[]][] = [
  [mediaTypes.ociManifest, image],
  [mediaTypes.dockerManifest, image],
  [mediaTypes.ociIndex, index],
  [mediaTypes.dockerManifestList, index],
]

const joined = (members: readonly string[]): string => `{${members.join(',')}}`
const controls = Array.from({ length: 31 }, (_, code) => `\\u${(code + 1).toString(16).padStart(4, '0')}`)

/** Ways to write a document that no parser would give back. */
const writings: Readonly<Record<string, (members: readonly string[]) => string>> = {
  'as short as it can be': joined,
  'a final line break': (members) => `${joined(members)}\n`,
  'white space around it': (members) => ` \t\r\n ${joined(members)} \n\n\t`,
  'a megabyte of spaces inside': (members) => `{${members.join(`,${' '.repeat(1024 * 1024)}`)}}`,
  indented: (members) => JSON.stringify(JSON.parse(joined(members)), null, '\t'),
  'CRLF line ends': (members) => `{\r\n${members.join(',\r\n')}\r\n}\r\n`,
  'escapes where none are needed': (members) =>
    joined(members).replaceAll('/', '\\/').replaceAll('m', '\\u006d'),
  'members in another order': (members) => joined(members.toReversed()),
  'unknown members': (members) =>
    joined(['"zz":null,"":{"":[]},"a b":[1,{"c":true}],"__proto__":{"x":1},"constructor":1', ...members]),
  'numbers in odd forms': (members) =>
    joined([...members, '"x":[1.0,1e2,1E+2,-0,0.1e-7,123456789012345678901234567890,1e999]']),
  'text of all planes': (members) =>
    joined([...members, '"x":"äö漢字🦊\\ud83e\\udd8a\u2028\u2029\u007f\uffff"']),
  'text in two normal forms': (members) => joined([...members, '"\u00e9":"\u00e9","e\u0301":"e\u0301"']),
  'members that are null or empty': (members) =>
    joined([...members, '"annotations":null,"subject":null,"artifactType":""']),
  'every control character': (members) => joined([...members, `"x":"${controls.join('')}"`]),
  'close to the limit': (members) => joined([...members, `"x":"${'x'.repeat(4 * 1024 * 1024 - 1000)}"`]),
}

describe.each(kinds)('%s comes back as it was pushed:', (mediaType, members) => {
  test.each(Object.entries(writings))('%s', async (_, write) => {
    const repository = registry.repository()
    const manifest: Content = { ...contentOf(write(members)), mediaType }
    await repository.pushBlob(emptyJson)
    await repository.pushManifest(manifest, 'v1')
    for (const reference of ['v1', manifest.digest]) {
      const pulled = await repository.pullManifest(reference)
      expect(pulled.status).toBe(200)
      expect(pulled.body.equals(manifest.bytes)).toBe(true)
      expect(pulled.header('content-type')).toBe(mediaType)
      expect(pulled.header('docker-content-digest')).toBe(manifest.digest)
      const head = await repository.pullManifest(reference, 'HEAD')
      expect(head.header('content-length')).toBe(String(manifest.bytes.length))
      expect(head.body.length).toBe(0)
    }
  })
})

describe('A blob comes back as it was pushed:', () => {
  const blobs: Readonly<Record<string, Buffer>> = {
    'every byte': Buffer.from(Array.from({ length: 256 }, (_, code) => code)),
    'a manifest': Buffer.from(joined(image)),
    HTML: Buffer.from('<!doctype html><script>alert(1)</script>'),
    gzip: gzipSync('hello'),
    'an HTTP answer': Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
    'the end of a chunked body': Buffer.from('0\r\n\r\n'),
    'text of another encoding': Buffer.from('äöü', 'latin1'),
    zeros: Buffer.alloc(100_000),
  }

  test.each(Object.entries(blobs))('%s', async (_, bytes) => {
    const repository = registry.repository()
    const blob = contentOf(bytes)
    await repository.pushBlob(blob)
    await expectBlob(repository, blob)
    const { headers } = await repository.get(`blobs/${blob.digest}`)
    // A browser must not take what somebody pushed for a page of this server.
    expect(headers.get('content-type')).toEqual(['application/octet-stream'])
    expect(headers.get('x-content-type-options')).toEqual(['nosniff'])
  })

  test('what the request calls its encoding or type changes nothing', async () => {
    const repository = registry.repository()
    const blob = contentOf(gzipSync('hello'))
    const upload = await repository.openUpload()
    const response = await upload.send({
      method: 'PUT',
      query: `digest=${blob.digest}`,
      body: blob.bytes,
      headers: { 'content-type': 'text/html; charset=utf-16', 'content-encoding': 'gzip' },
    })
    expect(response.status).toBe(201)
    await expectBlob(repository, blob)
    expect((await repository.get(`blobs/${blob.digest}`)).header('content-encoding')).toBeNull()
  })
})
