import { digestOf, type HttpRequest } from '@openregistry/testkit'
import type { V2Target as Target } from '@openregistry/server'
import { emptyIndex, type Fixture } from './fixture.ts'

/** What a request is answered with, by who asks. Private and missing repositories are the same to strangers: 401. */
interface Expected {
  /** To the operator, and to users, in a repository that is there. */
  allowed: number
  /** To them in one that is not there. */
  missing: number
  /** To somebody without credentials, in a public repository. */
  stranger: number
}

/** One way to use a route. */
export interface Probe {
  /** `<kind of target> <method>` of the route table, or `<method> <path>` of the management API, or a page. */
  route: string
  /** What is special about it. */
  how: string
  request: (about: Fixture) => HttpRequest
  expected: Expected
  /** Asked without credentials it is answered whatever they are: pages that say nothing about content. */
  page?: true
}

const bytes = Buffer.from('bytes')
const api = ({ name }: Fixture): string => `/api/v1/repositories/${encodeURIComponent(name)}`

function probe(
  route: string,
  [allowed, missing, stranger]: [number, number, number],
  path: (about: Fixture) => string,
  extra: Partial<HttpRequest> & { how?: string } = {},
): Probe {
  const { how = '', ...request } = extra
  const method = /(?:^| )([A-Z]+)(?: |$)/.exec(route)?.[1] ?? 'GET'
  return {
    ...{ route, how },
    request: (about) => ({ method, ...request, path: path(about) }),
    expected: { allowed, missing, stranger },
  }
}

/** The same for HEAD, which every GET has. */
const withHead = (probes: Probe[]): Probe[] =>
  probes.flatMap((get) => [
    get,
    {
      ...get,
      route: get.route.startsWith('GET ') ? get.route : get.route.replace(/GET$/, 'HEAD'),
      how: `${get.how} HEAD`.trim(),
      request: (about) => ({ ...get.request(about), method: 'HEAD' }),
    },
  ])

/** A target of the route table, and every way to use it. */
const byKind: Readonly<Record<Target['kind'], Probe[]>> = {
  base: withHead([probe('base GET', [200, 200, 401], () => '/v2/')]),
  catalog: withHead([
    probe('catalog GET', [200, 200, 200], () => '/v2/_catalog'),
    probe('catalog GET', [200, 200, 200], ({ name }) => `/v2/_catalog?n=1&last=${name}`, { how: 'after it' }),
  ]),
  extensions: withHead([
    probe('extensions GET', [200, 200, 401], () => '/v2/_oci/ext/discover', { how: 'of the registry' }),
    probe('extensions GET', [200, 404, 200], ({ name }) => `/v2/${name}/_oci/ext/discover`),
  ]),
  tags: withHead([
    probe('tags GET', [200, 404, 200], ({ name }) => `/v2/${name}/tags/list`),
    probe('tags GET', [200, 404, 200], ({ name }) => `/v2/${name}/tags/list?n=1&last=v0`, { how: 'paged' }),
  ]),
  referrers: withHead([
    // The specification wants an empty list for a subject that is not there, and so for a repository.
    probe(
      'referrers GET',
      [200, 200, 200],
      ({ name, manifest }) => `/v2/${name}/referrers/${manifest.digest}`,
    ),
    probe(
      'referrers GET',
      [200, 200, 200],
      ({ name, manifest }) => `/v2/${name}/referrers/${manifest.digest}?artifactType=a/b`,
      { how: 'filtered' },
    ),
  ]),
  manifest: [
    ...withHead([
      probe('manifest GET', [200, 404, 200], ({ name }) => `/v2/${name}/manifests/v1`, { how: 'by tag' }),
      probe(
        'manifest GET',
        [200, 404, 200],
        (about) => `/v2/${about.name}/manifests/${about.manifest.digest}`,
      ),
    ]),
    probe('manifest GET', [404, 404, 404], ({ name }) => `/v2/${name}/manifests/unknown`, { how: 'unknown' }),
    probe('manifest PUT', [201, 201, 401], ({ name }) => `/v2/${name}/manifests/v2`, {
      headers: { 'content-type': emptyIndex.mediaType },
      body: emptyIndex.bytes,
    }),
    probe('manifest PUT', [201, 201, 401], ({ name }) => `/v2/${name}/manifests/v1`, {
      how: 'over a tag',
      headers: { 'content-type': emptyIndex.mediaType },
      body: emptyIndex.bytes,
    }),
    probe('manifest PUT', [400, 400, 401], ({ name }) => `/v2/${name}/manifests/v1`, {
      how: 'malformed',
      body: 'x',
    }),
    probe('manifest PUT', [400, 400, 401], ({ name }) => `/v2/${name}/manifests/v1`, { how: 'empty' }),
    probe('manifest PUT', [413, 413, 401], ({ name }) => `/v2/${name}/manifests/v1`, {
      how: 'too large',
      body: Buffer.alloc(4 * 1024 * 1024 + 1),
    }),
    probe('manifest DELETE', [202, 404, 401], ({ name }) => `/v2/${name}/manifests/v1`, { how: 'by tag' }),
    probe(
      'manifest DELETE',
      [202, 404, 401],
      (about) => `/v2/${about.name}/manifests/${about.manifest.digest}`,
    ),
    probe('manifest DELETE', [404, 404, 401], ({ name }) => `/v2/${name}/manifests/unknown`, {
      how: 'unknown',
    }),
  ],
  blob: [
    ...withHead([probe('blob GET', [200, 404, 200], ({ name, blob }) => `/v2/${name}/blobs/${blob.digest}`)]),
    probe('blob GET', [206, 404, 206], ({ name, blob }) => `/v2/${name}/blobs/${blob.digest}`, {
      how: 'a range',
      headers: { range: 'bytes=0-0' },
    }),
    probe('blob GET', [416, 404, 416], ({ name, blob }) => `/v2/${name}/blobs/${blob.digest}`, {
      how: 'a range beyond it',
      headers: { range: 'bytes=99999999-' },
    }),
    {
      ...probe('blob GET', [304, 404, 304], () => '', { how: 'if it has changed' }),
      request: ({ name, blob }) => ({
        path: `/v2/${name}/blobs/${blob.digest}`,
        headers: { 'if-none-match': `"${blob.digest}"` },
      }),
    },
    probe('blob DELETE', [202, 404, 401], ({ name, blob }) => `/v2/${name}/blobs/${blob.digest}`),
  ],
  uploads: [
    probe('uploads POST', [202, 202, 401], ({ name }) => `/v2/${name}/blobs/uploads/`),
    probe(
      'uploads POST',
      [201, 201, 401],
      ({ name }) => `/v2/${name}/blobs/uploads/?digest=${digestOf(bytes)}`,
      {
        how: 'with a blob',
        body: bytes,
      },
    ),
    probe(
      'uploads POST',
      [400, 400, 401],
      ({ name }) => `/v2/${name}/blobs/uploads/?digest=${digestOf(bytes)}`,
      {
        how: 'with a wrong digest',
        body: 'other',
      },
    ),
    probe(
      'uploads POST',
      [201, 201, 401],
      ({ name, source }) => `/v2/${name}/blobs/uploads/?mount=${source.blob.digest}&from=${source.name}`,
      { how: 'mounting' },
    ),
    probe(
      'uploads POST',
      [202, 202, 401],
      ({ name, source }) => `/v2/${name}/blobs/uploads/?mount=${source.blob.digest}`,
      { how: 'mounting from anywhere' },
    ),
  ],
  upload: [
    ...withHead([
      probe('upload GET', [204, 404, 401], ({ name, upload }) => `/v2/${name}/blobs/uploads/${upload}`),
    ]),
    probe('upload PATCH', [202, 404, 401], ({ name, upload }) => `/v2/${name}/blobs/uploads/${upload}`, {
      body: bytes,
    }),
    probe(
      'upload PUT',
      [201, 404, 401],
      ({ name, upload }) => `/v2/${name}/blobs/uploads/${upload}?digest=${digestOf(bytes)}`,
      { body: bytes },
    ),
    probe('upload DELETE', [204, 404, 401], ({ name, upload }) => `/v2/${name}/blobs/uploads/${upload}`),
  ],
}

const list = '/api/v1/repositories'
const json = { headers: { 'content-type': 'application/json' } }

const management: Probe[] = [
  ...withHead([
    probe(`GET ${list}`, [200, 200, 200], () => list),
    probe(`GET ${list}`, [200, 200, 200], ({ name }) => `${list}?n=1&last=${name}`, { how: 'after it' }),
    probe(`GET ${list}/{name}`, [200, 404, 200], api),
    probe(`GET ${list}/{name}/tags`, [200, 404, 200], (about) => `${api(about)}/tags`),
    probe(`GET ${list}/{name}/storage`, [200, 404, 200], (about) => `${api(about)}/storage`),
    probe(
      `GET ${list}/{name}/manifests/{reference}`,
      [200, 404, 200],
      (about) => `${api(about)}/manifests/v1`,
    ),
    probe(
      `GET ${list}/{name}/manifests/{reference}`,
      [200, 404, 200],
      (about) => `${api(about)}/manifests/${about.manifest.digest}`,
      { how: 'by digest' },
    ),
    probe(`GET ${list}/{name}/cid`, [200, 404, 200], (about) => `${api(about)}/cid`),
    probe(`GET ${list}/{name}/cid`, [200, 404, 200], (about) => `${api(about)}/cid?reference=v1`, {
      how: 'of an image',
    }),
    probe(
      `GET ${list}/{name}/cid`,
      [200, 404, 200],
      (about) => `${api(about)}/cid?reference=v1&form=nerdctl`,
      { how: 'of an image for nerdctl' },
    ),
    probe(`GET ${list}/{name}/cid`, [404, 404, 404], (about) => `${api(about)}/cid?reference=never`, {
      how: 'of an image that is not there',
    }),
    // The past of a tag that is there is for those who may pull; everything else of it for those who may push.
    probe(`GET ${list}/{name}/history`, [200, 404, 401], (about) => `${api(about)}/history`),
    probe(`GET ${list}/{name}/history`, [200, 404, 200], (about) => `${api(about)}/history?tag=v1`, {
      how: 'of a tag',
    }),
    probe(`GET ${list}/{name}/history`, [200, 404, 401], (about) => `${api(about)}/history?tag=never`, {
      how: 'of a tag that is not there',
    }),
    probe(
      `GET ${list}/{name}/history`,
      [200, 404, 200],
      (about) => `${api(about)}/history?tag=v1&at=2026-01-01T00:00:00Z`,
      { how: 'of a tag at a moment' },
    ),
  ]),
  {
    ...probe(`POST ${list}/{name}/restore`, [200, 404, 401], api),
    request: (about) => ({
      ...{ method: 'POST', path: `${api(about)}/restore`, headers: json.headers },
      body: JSON.stringify({ digest: about.manifest.digest }),
    }),
  },
  {
    ...probe(`POST ${list}/{name}/restore`, [200, 404, 401], api, { how: 'a tag' }),
    request: (about) => ({
      ...{ method: 'POST', path: `${api(about)}/restore`, headers: json.headers },
      body: JSON.stringify({ tag: 'v1', digest: about.manifest.digest }),
    }),
  },
  probe(`POST ${list}/{name}/restore`, [404, 404, 401], (about) => `${api(about)}/restore`, {
    ...{ ...json, body: '{"tag":"never"}' },
    how: 'what never was',
  }),
  ...withHead([probe(`GET ${list}/{name}/move`, [200, 404, 401], (about) => `${api(about)}/move`)]),
  probe(`POST ${list}/{name}/move`, [202, 404, 401], (about) => `${api(about)}/move`, {
    ...json,
    body: '{"backend":"disk"}',
  }),
  probe(`DELETE ${list}/{name}/move`, [409, 404, 401], (about) => `${api(about)}/move`),
  probe(`PATCH ${list}/{name}`, [200, 404, 401], api, { ...json, body: '{"visibility":"public"}' }),
  probe(`PATCH ${list}/{name}`, [200, 404, 401], api, {
    ...json,
    body: '{"visibility":"private"}',
    how: 'closing',
  }),
  probe(`DELETE ${list}/{name}`, [204, 404, 401], api),
]

const pages: Probe[] = [
  ...withHead([
    probe('GET /', [200, 200, 200], () => '/'),
    probe('GET /healthz', [200, 200, 200], () => '/healthz'),
    probe('GET /readyz', [200, 200, 200], () => '/readyz'),
    probe('GET /nothing', [404, 404, 404], () => '/nothing'),
  ]).map((page) => ({ ...page, page: true as const })),
  ...withHead([
    probe('GET /metrics', [200, 200, 401], () => '/metrics'),
    probe('GET /api/v1/openapi.json', [200, 200, 200], () => '/api/v1/openapi.json'),
    probe('GET /api/v1/nothing', [404, 404, 404], () => '/api/v1/nothing'),
    probe('GET /v2/nothing', [404, 404, 404], () => '/v2/nothing'),
  ]),
]

/** Every route in every way. */
export const probes: readonly Probe[] = [...Object.values(byKind).flat(), ...management, ...pages]

/** Routes that speak of the registry, not of one repository: strangers get the same whatever the repository is. */
export const ofTheRegistry: ReadonlySet<string> = new Set([
  'base GET',
  'base HEAD',
  'catalog GET',
  'catalog HEAD',
  `GET ${list}`,
  ...pages.map((page) => page.route),
])
