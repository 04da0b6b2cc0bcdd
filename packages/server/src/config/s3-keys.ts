import { derivedField, field, type Field } from './field.ts'
import { duration, flag, integer, origin, size, text } from './value-type.ts'

/** What differs between services that speak S3. */
interface S3Preset {
  /** The backend's name, which is that of its group of keys. */
  backend: string
  /** Address of the service; null: Amazon's for the region, unless another one is set. */
  endpoint: string | null
  region: string
  partSize: string
  public: boolean
  /** What to know of parts of this service, if anything. */
  parts?: string
}

/** The keys of a backend that speaks S3. It is there once its bucket is named. */
export function s3Keys(preset: S3Preset) {
  const { backend } = preset
  return {
    bucket: field(text('the name of a bucket', /^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/), null, {
      doc: `The bucket, for OpenRegistry alone or with dfs.${backend}.prefix. It has to be there; with its name this backend is.`,
    }),
    endpoint: endpointField(preset),
    region: field(text('the name of a region', /^[A-Za-z0-9-]+$/), preset.region, {
      doc: 'The region that requests are signed for. Services of one place take any, or say which.',
    }),
    prefix: field(text('the beginning of a name', /^[A-Za-z0-9!_.*'()-][A-Za-z0-9!_.*'()/-]{0,511}$/), null, {
      doc: 'What the names of all objects begin with, for buckets that hold other things as well.',
    }),
    access_key: field(text('an access key'), null, {
      doc: 'The access key. It has to list the bucket, and to read, write and delete objects and multipart uploads.',
      secret: true,
    }),
    secret_key: field(text('a secret key'), null, { doc: 'The secret key.', secret: true }),
    path_style: pathStyleField(preset),
    part_size: field(size(5 * 2 ** 20, 2 ** 30), preset.partSize, {
      doc: `Bytes of a part of an upload. Each upload holds one in memory, a few together up to three; after a thousand they double.${preset.parts === undefined ? '' : ` ${preset.parts}`}`,
    }),
    public: field(flag(), String(preset.public), {
      doc: 'Whether what lies here can be read by everybody who knows its address. Private repositories are never written to such a backend.',
    }),
    connections: field(integer(1, 10_000), '128', {
      doc: 'Connections to the service that each process may have. Every download under way holds one.',
    }),
    connect_timeout: field(duration(100, 3600_000), '5s', {
      doc: 'How long a connection may take to come about.',
    }),
    timeout: field(duration(1000, 3600_000), '60s', {
      doc: 'How long a connection may stand still. The answer to a request has to begin within ten times as long.',
    }),
    attempts: field(integer(1, 20), '4', {
      doc: 'How often a request is sent, at growing intervals, before its failure is one.',
    }),
  }
}

function endpointField({ backend, endpoint }: S3Preset): Field<string> {
  const doc = 'Address of the service.'
  if (endpoint !== null) return field(origin(), endpoint, { doc })
  return derivedField(origin(), {
    doc,
    derived: { said: `that of Amazon for dfs.${backend}.region`, usually: amazonAt('us-east-1') },
  })
}

function pathStyleField({ backend, endpoint }: S3Preset): Field<boolean> {
  const doc = 'Whether the bucket is named in the path of a request, not in its host name.'
  if (endpoint !== null) return field(flag(), 'true', { doc })
  return derivedField(flag(), {
    doc,
    derived: { said: `true with dfs.${backend}.endpoint, else false`, usually: 'false' },
  })
}

/** Where Amazon S3 is in a region. */
export function amazonAt(region: string): string {
  return `https://s3.${region}.amazonaws.com`
}
