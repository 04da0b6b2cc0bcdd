import { field } from './field.ts'
import { duration, flag, integer, origin, text } from './value-type.ts'

/** What the services have in common that keep content by its hash. */
export const pinning = {
  name: field(text('a name of at most 32 characters', /^[a-z0-9][a-z0-9._-]{0,31}$/), 'openregistry', {
    doc: 'The name of this registry among those that use the same service; each has to have another one, and keeps it.',
  }),
  timeout: field(duration(100, 3600_000), '30s', {
    doc: 'How long the service may be silent while something is awaited from it.',
  }),
  retry: field(duration(0, 3600_000), '15s', {
    doc: 'How long a call is tried again that did not reach the service, as while it restarts.',
    zero: 'not at all',
  }),
}

/** The keys of a Kubo node. It is a backend once its API is named. */
export const kuboKeys = {
  api_url: field(origin(), null, {
    doc: 'The RPC API of a Kubo node. With it the backend kubo is there, and new blobs go to it unless dfs.default says otherwise.',
  }),
  api_token: field(text('a token'), null, {
    doc: 'What API.Authorizations of Kubo asks for, written as there: bearer:<token>, basic:<user>:<password>, or a token alone.',
    secret: true,
  }),
  gateway_url: field(origin(), null, {
    doc: 'The gateway of that node, through which blobs are read. Without it Kubo is asked where it is.',
  }),
  public: field(flag(), 'true', {
    doc: 'Whether others can fetch from the node, as anybody can from one that is part of the public network. Private repositories are never written to such a backend.',
  }),
  ...pinning,
}

/** The keys of an IPFS Cluster. It is a backend once its API is named. */
export const clusterKeys = {
  api_url: field(origin(), null, {
    doc: 'The REST API of a peer of an IPFS Cluster, the same for all servers. With it the backend cluster is there.',
  }),
  api_token: field(text('a token'), null, {
    doc: 'What that API asks for: basic:<user>:<password>, or a token of the cluster.',
    secret: true,
  }),
  gateway_url: field(origin(), null, {
    doc: 'The gateway of a Kubo node of the cluster, through which blobs are read.',
  }),
  replication_min: field(integer(1, 1000), null, {
    doc: 'Peers that have to have a blob before its push is acknowledged. Without it, all that the cluster gives it to and that answer.',
  }),
  replication_max: field(integer(1, 1000), null, {
    doc: 'Peers that are to have a blob. Without it, as the cluster is configured.',
  }),
  public: field(flag(), 'true', {
    doc: 'Whether others can fetch from the nodes of the cluster. Private repositories are never written to such a backend.',
  }),
  ...pinning,
}
