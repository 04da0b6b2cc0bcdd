import { field } from './field.ts'
import { duration, integer, size } from './value-type.ts'

/** Every limit of the server. What is cut off by one gets a 4xx that names it, as far as the protocol allows. */
export const limits = {
  manifest: field(size(64 * 2 ** 10, 64 * 2 ** 20), '4MiB', {
    doc: 'The largest manifest. Clients may rely on 4 MB.',
  }),
  blob: field(size(0), '0', { doc: 'The largest blob.', zero: 'no limit' }),
  page: field(integer(1, 10_000), '1000', {
    doc: 'The longest page of a list: of tags, of repositories, of referrers. Also its length when a client names none.',
  }),
  tags_per_push: field(integer(1, 1000), '100', { doc: 'Tags that one manifest push may set.' }),
  uploads_per_repository: field(integer(0), '1000', {
    doc: 'Upload sessions that may be open in one repository.',
    zero: 'no limit',
  }),
  upload_lifetime: field(duration(1000), '24h', {
    doc: 'How long an upload waits for its next byte before it is given up.',
  }),
  request_headers: field(size(4 * 2 ** 10, 2 ** 20), '16KiB', {
    doc: 'All headers of a request together, its first line included.',
  }),
  uri: field(size(2 ** 10, 2 ** 20), '8KiB', {
    doc: 'The longest request target. Not more than limits.request_headers.',
  }),
  headers_timeout: field(duration(100, 3600_000), '30s', {
    doc: 'How long the headers of a request may take.',
  }),
  idle_timeout: field(duration(100, 3600_000), '60s', {
    doc: 'How long a request or an answer may stand still before its connection is closed.',
  }),
  min_rate: field(size(0, 2 ** 30), '64', {
    doc: 'The least a request body has to bring, in bytes a second, on average over limits.idle_timeout.',
    zero: 'any progress will do',
  }),
  keep_alive_timeout: field(duration(100, 3600_000), '65s', {
    doc: 'How long a connection stays open between two requests.',
  }),
  connections: field(integer(0), '0', {
    doc: 'Connections at one time, of each process that serves; further ones are closed.',
    zero: 'no limit',
  }),
  shutdown_delay: field(duration(0, 3600_000), '0', {
    doc: 'How long a stop goes on serving while /readyz says 503 already, so that a balancer sends nothing more here.',
    zero: 'not at all',
  }),
  shutdown_grace: field(duration(0, 3600_000), '30s', {
    doc: 'How long a stop waits for requests in flight. Uploads that it cuts off can be resumed.',
    zero: 'not at all',
  }),
}
