import { backendNames } from './backend-names.ts'
import { derivedField, field, type Values } from './field.ts'
import { clusterKeys, kuboKeys } from './ipfs-keys.ts'
import { limits } from './limits.ts'
import { namespace } from './namespace.ts'
import { peerAddress } from './peer-address.ts'
import { s3Keys } from './s3-keys.ts'
import { skynetKeys } from './skynet-keys.ts'
import {
  choice,
  duration,
  flag,
  integer,
  listenAddress,
  listOf,
  mapOf,
  origin,
  path,
  size,
  text,
} from './value-type.ts'
import { workers } from './workers.ts'

/**
 * Every key of the configuration, once. Defaults, names of environment variables, the comments of `config print`, the
 * example file and docs/configuration.md all come from here; a key that is not here stops the start.
 */
export const tree = {
  data_dir: field(path('folder'), './data', {
    doc: 'Everything that has to be kept: the database and, unless dfs.disk.path says otherwise, the blobs.',
  }),

  http: {
    host: field(text('a host name or an IP address', /^[A-Za-z0-9_.:-]+$/), '127.0.0.1', {
      doc: 'The address to listen on. 127.0.0.1 listens on [::1] too; 0.0.0.0 and :: are every address.',
    }),
    port: field(integer(0, 65_535), '5000', {
      doc: 'The TCP port.',
      zero: 'any free port, which the log names',
    }),
    public_url: field(origin(), null, {
      doc: 'Where clients find this registry, when that is not where it listens (behind a proxy). In open mode its host is the only name besides localhost under which the registry answers.',
    }),
    workers: field(workers(), 'auto', {
      doc: 'Processes that serve the port. auto: with PostgreSQL one for each processor; SQLite has one.',
    }),
    tls: {
      cert: field(path('file'), null, {
        doc: 'Certificate chain in PEM; with it and the key the port speaks HTTPS.',
      }),
      key: field(path('file'), null, { doc: 'Private key of the certificate in PEM, not encrypted.' }),
    },
  },

  db: {
    kind: derivedField(choice('sqlite', 'postgres'), {
      doc: 'The database: sqlite, which lies in data_dir and has one server, or postgres (15 or newer), which any number of servers share.',
      derived: { said: 'postgres with db.host, else sqlite', usually: 'sqlite' },
    }),
    host: field(
      text('a host name, an IP address, or the folder of a socket', /^(?:[A-Za-z0-9_.:-]+|\/\S*)$/),
      null,
      { doc: 'Where PostgreSQL is.' },
    ),
    port: field(integer(1, 65_535), '5432', { doc: 'The TCP port of PostgreSQL.' }),
    user: field(text('the name of a user'), 'openregistry', {
      doc: 'The user of PostgreSQL, best the owner of the database.',
    }),
    password: field(text('a password', /^.+$/s), null, {
      doc: 'Its password, where the server asks for one.',
      secret: true,
    }),
    name: field(text('the name of a database'), 'openregistry', {
      doc: 'The database in PostgreSQL, for OpenRegistry alone.',
    }),
    pool_size: field(integer(1, 1000), '10', {
      doc: 'Connections to PostgreSQL that each process may have. All processes together must stay below max_connections of the server.',
    }),
    tls: field(choice('off', 'on', 'unverified'), 'off', {
      doc: 'off: plain TCP. on: TLS, and the certificate must be good for db.host. unverified: TLS with whoever answers.',
    }),
    tls_ca: field(path('file'), null, {
      doc: 'Certificates in PEM of the authority that vouches for PostgreSQL, in place of those that the system trusts.',
    }),
    statement_timeout: field(duration(0, 3600_000), '30s', {
      doc: 'How long PostgreSQL may work on one statement.',
      zero: 'no limit',
    }),
    lock_timeout: field(duration(0, 3600_000), '5s', {
      doc: 'How long a change waits in PostgreSQL for others that hold the same rows.',
      zero: 'no limit',
    }),
    auto_migrate: field(flag(), 'true', {
      doc: 'Bring the schema up to date at the start; if false, that is left to "openregistry migrate", and an older schema stops the start.',
    }),
  },

  dfs: {
    default: derivedField(choice(...backendNames), {
      doc: 'The backend that new blobs are written to. Blobs stay where they are when it changes, and are read there as long as that backend is configured.',
      derived: { said: 'kubo with dfs.ipfs.api_url, else disk', usually: 'disk' },
    }),
    namespaces: field(mapOf(namespace(), choice(...backendNames)), null, {
      doc: 'Other backends for the new blobs of some namespaces (the first component of a name), such as {acme: s3}, or acme=s3 in the environment.',
    }),
    replicas: field(listOf(choice(...backendNames)), null, {
      doc: 'Backends that get a copy of every blob, such as [s3]; public ones only of public content. Copies are made in the background, and read when another place fails.',
    }),
    redirect: field(flag(), 'false', {
      doc: 'Send clients to S3 for what they pull (307, an address that is good for five minutes). Clients have to reach the endpoint, and what it sends is checked by them alone.',
    }),
    disk: {
      path: derivedField<string | null>(path('folder'), {
        doc: 'Where the blobs lie.',
        derived: {
          said: 'blobs in data_dir; with PostgreSQL none unless dfs.default, dfs.namespaces or dfs.replicas name the disk',
          usually: './data/blobs',
          orNone: true,
        },
      }),
      direct: field(flag(), 'true', {
        doc: 'Write large blobs around the page cache (Linux). Pushes are faster and leave the cache to pulls; the first pull of a new blob reads from the disk.',
      }),
      public: field(flag(), 'false', {
        doc: 'Whether the folder can be read by everybody. Private repositories are never written to such a backend.',
      }),
    },
    ipfs: kuboKeys,
    cluster: clusterKeys,
    s3: s3Keys({ backend: 's3', endpoint: null, region: 'us-east-1', partSize: '8MiB', public: false }),
    storj: s3Keys({
      backend: 'storj',
      endpoint: 'https://gateway.storjshare.io',
      region: 'us-1',
      partSize: '64MiB',
      public: false,
      parts: 'Storj keeps segments of 64 MiB and charges for each, so smaller parts cost more.',
    }),
    filebase: s3Keys({
      backend: 'filebase',
      endpoint: 'https://s3.filebase.com',
      region: 'us-east-1',
      partSize: '8MiB',
      public: true,
    }),
    skynet: skynetKeys,
  },

  ipfs: {
    gateway: field(flag(), 'true', {
      doc: 'Show public content to clients of IPFS: /ipfs (a trustless gateway), /routing/v1/providers, and /.well-known/rasl.',
    }),
    node: field(flag(), 'false', {
      doc: 'Be a node of IPFS, too: give public blocks to nodes that connect, by Bitswap over TCP. It looks for nobody, and nothing is announced unless ipfs.announce says so.',
    }),
    announce: field(flag(), 'false', {
      doc: 'Tell the DHT which public images and repositories are here, by the CIDs of their layouts and directories, so that nodes find them that know the CID alone. Needs ipfs.node, ipfs.bootstrap, and http.public_url, at whose host the node is reached.',
    }),
    bootstrap: field(listOf(peerAddress()), null, {
      doc: 'Nodes of the network that are asked first when something is announced, as multiaddrs with the peer ID, such as [/dns/ipfs.example.org/tcp/4001/p2p/12D3Koo…]: some of those that "ipfs bootstrap list" names for the public network; for a private one, nodes of that.',
    }),
    listen: field(listOf(listenAddress()), '127.0.0.1:4001', {
      doc: 'Where the node listens: IP addresses with ports, such as [0.0.0.0:4001, "[::]:4001"].',
    }),
    connections: field(integer(1, 10_000), '100', {
      doc: 'Connections of the node at one time.',
    }),
    swarm_key_file: field(path('file'), null, {
      doc: 'The swarm.key of a private network. The node, and commands that fetch from peers, talk to those that have it, and to nobody else.',
    }),
  },

  auth: {
    mode: derivedField(choice('open', 'required'), {
      doc: 'open: whoever reaches the port may push and pull. required: pushing takes a user of auth.users_file, and so does pulling from a private repository.',
      derived: { said: 'required with auth.users_file, else open', usually: 'open' },
    }),
    allow_open_network: field(flag(), 'false', {
      doc: 'Allow open mode on an address that others can reach.',
    }),
    users_file: field(path('file'), null, {
      doc: 'Users with their passwords, as "htpasswd -B" writes them (bcrypt), or argon2id. Read again when it changes.',
    }),
  },

  repositories: {
    default_visibility: derivedField(choice('public', 'private'), {
      doc: 'public or private: what a repository is that a first push creates. Everybody may pull from a public one.',
      derived: { said: 'public in open mode, else private', usually: 'public' },
    }),
  },

  gc: {
    lease: field(duration(1000), '24h', {
      doc: 'How long a blob is safe before a manifest needs it, counted from its push, its mount, or the last time a client asked for it.',
    }),
    grace: field(duration(0), '7d', {
      doc: 'How long a deleted manifest, and blobs that nothing needs any more, stay restorable before their space is given back.',
      zero: 'until the next collection',
    }),
  },

  scrub: {
    rate: field(size(0), '20MiB', {
      doc: 'How many bytes a second stored content is read again with, to find damage before somebody pulls it. "openregistry scrub --rate" replaces it.',
      zero: 'as fast as the disk reads',
    }),
    interval: field(duration(0), '7d', {
      doc: 'How often all stored content is read again in the background.',
      zero: 'never by itself, only by "openregistry scrub"',
    }),
  },

  keys: {
    file: derivedField(path('file'), {
      doc: 'The secret that all keys of this registry come from; made with the first start. Servers that share a database share it too. Keep a copy of it elsewhere.',
      derived: { said: 'keys.json in data_dir', usually: './data/keys.json' },
    }),
  },

  limits,

  log: {
    level: field(choice('debug', 'info', 'warn', 'error'), 'info', {
      doc: 'debug, info, warn or error: the least important entries to write.',
    }),
    format: field(choice('auto', 'json', 'pretty'), 'auto', {
      doc: 'json: one object a line. pretty: for reading. auto: pretty on a terminal, else json.',
    }),
    reads: field(flag(), 'false', {
      doc: 'Write an entry for every read as well, not for changes and faults alone.',
    }),
  },

  metrics: {
    listen: field(listenAddress(), null, {
      doc: 'A port of its own for /metrics, as port or host:port. Without it /metrics is on the port of the registry.',
    }),
  },
}

/** The configuration that is in force. Names are those of the file; durations are milliseconds, sizes bytes, paths absolute. */
export type Config = Values<typeof tree>
