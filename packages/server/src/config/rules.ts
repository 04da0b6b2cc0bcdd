import { isIP } from 'node:net'
import { join } from 'node:path'
import { backendsOf, checkBackends } from './backend-rules.ts'
import { isLoopback } from './loopback.ts'
import type { Origin, Problem } from './problem.ts'
import type { Config } from './tree.ts'

/**
 * What keys mean together: fills in the defaults that depend on other keys, and finds contradictions.
 * @param given every key by itself; derived ones are null where nobody set them
 * @param origins where each value came from
 */
export function applyRules(
  given: Config,
  origins: ReadonlyMap<string, Origin>,
): { config: Config; problems: Problem[] } {
  const config = withDerived(given)
  const problems: Problem[] = []
  const refuse = (key: string, message: string) =>
    problems.push({ key, origin: origins.get(key) ?? { kind: 'default' }, message })

  checkAccess(config, refuse)
  checkTls(config, refuse)
  checkDatabase(config, refuse)
  checkBackends(config, refuse)
  checkNode(config, refuse)
  if (config.db.kind === 'sqlite' && config.http.workers !== 'auto' && config.http.workers > 1) {
    refuse(
      'http.workers',
      'SQLite has one serving process, since one process writes its database; leave it at auto, or use PostgreSQL',
    )
  }
  if (config.limits.uri > config.limits.request_headers) {
    refuse('limits.uri', 'larger than limits.request_headers, which contain it')
  }
  return { config, problems }
}

/** The tree's types promise values for derived keys; until here they may be null. */
function withDerived(given: Config): Config {
  const { db, auth, repositories, keys } = given as Unsettled
  const mode = auth.mode ?? (auth.users_file === null ? 'open' : 'required')
  const kind = db.kind ?? (db.host === null ? 'sqlite' : 'postgres')
  return {
    ...given,
    db: { ...given.db, kind },
    dfs: backendsOf(given, kind),
    auth: { ...given.auth, mode },
    keys: { file: keys.file ?? join(given.data_dir, 'keys.json') },
    repositories: {
      default_visibility: repositories.default_visibility ?? (mode === 'open' ? 'public' : 'private'),
    },
  }
}

type Nullable<T> = { readonly [K in keyof T]: T[K] extends object ? Nullable<T[K]> : T[K] | null }
type Unsettled = Nullable<Pick<Config, 'db' | 'auth' | 'repositories' | 'keys'>>

type Refuse = (key: string, message: string) => void

function checkAccess({ auth, http }: Config, refuse: Refuse): void {
  if (auth.mode === 'open' && auth.users_file !== null) {
    refuse(
      'auth.mode',
      'open mode asks nobody for a password, so auth.users_file has no place; remove one of the two',
    )
    return
  }
  if (auth.mode === 'required' && auth.users_file === null) {
    refuse(
      'auth.mode',
      'nobody could log in; name a file with users and passwords in auth.users_file (htpasswd -B -c users.htpasswd <name>)',
    )
  }
  if (auth.mode === 'open' && !auth.allow_open_network && !isLoopback(http.host)) {
    refuse(
      'http.host',
      `in open mode everybody who reaches ${http.host} may push, pull and delete; set auth.users_file to ask for passwords, or auth.allow_open_network: true if that is meant`,
    )
  }
}

function checkTls({ http: { tls } }: Config, refuse: Refuse): void {
  if (tls.cert !== null && tls.key === null)
    refuse('http.tls.cert', 'a certificate needs its key; set http.tls.key')
  if (tls.key !== null && tls.cert === null)
    refuse('http.tls.key', 'a key needs its certificate; set http.tls.cert')
}

function checkNode({ ipfs, http, metrics, db }: Config, refuse: Refuse): void {
  if (ipfs.announce) checkAnnounce({ ipfs, http }, refuse)
  if (!ipfs.node) return
  for (const { host, port } of ipfs.listen) {
    if (isIP(host) === 0) refuse('ipfs.listen', `${host} is a name; a node listens on IP addresses`)
    // Processes of one supervisor that listen at the same place share what arrives there, unasked.
    if (port === 0 && db.kind === 'postgres')
      refuse('ipfs.listen', 'with PostgreSQL the node needs a port that is named; 0 is none')
    if (port !== 0 && (port === http.port || port === metrics.listen?.port))
      refuse('ipfs.listen', `port ${port} is that of HTTP; give the node another one`)
  }
}

function checkAnnounce({ ipfs, http }: Pick<Config, 'ipfs' | 'http'>, refuse: Refuse): void {
  if (!ipfs.node)
    refuse('ipfs.announce', 'there is nobody to fetch from without the node; set ipfs.node: true')
  if (ipfs.bootstrap === null || ipfs.bootstrap.length === 0)
    refuse('ipfs.announce', 'nobody is known to tell it to; name nodes of the network in ipfs.bootstrap')
  if (http.public_url === null)
    refuse(
      'ipfs.announce',
      'nobody would know where the node is; set http.public_url to where others reach it',
    )
}

function checkDatabase({ db }: Config, refuse: Refuse): void {
  if (db.kind === 'postgres' && db.host === null)
    refuse('db.kind', 'nobody said where PostgreSQL is; set db.host')
  if (db.kind === 'sqlite' && db.host !== null)
    refuse('db.kind', 'SQLite has no host; remove one of db.kind and db.host')
  if (db.tls_ca !== null && db.tls !== 'on')
    refuse('db.tls_ca', `not looked at while db.tls is ${db.tls}; set db.tls: on`)
}
