import { RegistryError } from '@openregistry/oci'
import { TryAgain } from '../sql/query.ts'
import { ConnectionLost, endsConnection, isServerError } from './connection.ts'
import { OutcomeUnknown } from './run-transaction.ts'
import { describePlace, type PostgresSettings } from './settings.ts'

/** Conditions of PostgreSQL (appendix "PostgreSQL Error Codes"). */
const conditions = {
  foreignKeyViolation: '23503',
  uniqueViolation: '23505',
  readOnly: '25006',
  invalidAuthorization: '28000',
  invalidPassword: '28P01',
  noSuchDatabase: '3D000',
  serializationFailure: '40001',
  deadlock: '40P01',
  notAllowed: '42501',
  diskFull: '53100',
  outOfMemory: '53200',
  tooManyConnections: '53300',
  lockNotAvailable: '55P03',
  queryCanceled: '57014',
  cannotConnectNow: '57P03',
  ioError: '58030',
}

/** Said of a standby. */
export const takesNoChanges =
  'The database takes no changes: it is a standby, or set to read-only. Let db.host name the primary server.'

const serverFull = 'The disk of the database server has no space left: make room there, then try again.'

/** Two steps that ran at the same moment kept each other from going on. Whoever lost tries again. */
const collisions = new Set([
  conditions.serializationFailure,
  conditions.deadlock,
  // A row that did not exist a statement ago exists now, or the other way round.
  conditions.uniqueViolation,
  conditions.foreignKeyViolation,
])

/** Whether a step that failed like this did nothing, and may succeed when it is tried again. */
export function mayTryAgain(error: unknown): boolean {
  if (error instanceof ConnectionLost || error instanceof TryAgain) return true
  if (!isServerError(error)) return false
  return collisions.has(error.code) || isStalePlan(error)
}

/** The schema was changed by the migration of a newer release under a statement that was prepared before. */
function isStalePlan(error: Error & { code: string }): boolean {
  return error.code === '0A000' && error.message.includes('cached plan')
}

/** What a fault means for whoever asked. */
export function toRegistryError(error: unknown): RegistryError {
  if (error instanceof RegistryError) return error
  if (error instanceof OutcomeUnknown) {
    return unavailable('The connection to the database was lost at the end of this step; try again.', error)
  }
  if (error instanceof ConnectionLost)
    return unavailable('The connection to the database was lost; try again.', error)
  if (error instanceof TryAgain) return unavailable('Too many changes at once; try again.', error)
  if (!isServerError(error)) return new RegistryError('INTERNAL', undefined, { cause: error })
  if (error.code === conditions.diskFull) {
    return new RegistryError('STORAGE_FULL', serverFull, { cause: error })
  }
  if (collisions.has(error.code)) return unavailable('Too many changes at once; try again.', error)
  const message = messageOf(error.code)
  return message === null
    ? new RegistryError('INTERNAL', undefined, { cause: error })
    : unavailable(message, error)
}

function messageOf(code: string): string | null {
  switch (code) {
    case conditions.lockNotAvailable:
      return 'Another change holds what this one needs; try again. The limit is db.lock_timeout.'
    case conditions.queryCanceled:
      return 'The database took too long; try again. The limit is db.statement_timeout.'
    case conditions.readOnly:
      return takesNoChanges
    case conditions.outOfMemory:
      return 'The database server has no memory left.'
    case conditions.ioError:
      return 'The disk of the database does not work.'
    case conditions.notAllowed:
      return 'The database user lacks a right; make it the owner of the database.'
    default:
      return null
  }
}

/** Whether a server that could not be reached like this may be back soon, without anybody changing settings. */
export function mayComeBack(error: unknown): boolean {
  // A name may be unknown for as long as its only server is away.
  if (!isServerError(error)) return !isTlsFault(error) && !isMessageOfClient(error)
  // Somebody may end a connection while it is opened. A pooler says with class 08 that the server behind it does not answer.
  return endsConnection(error.code) || error.code === conditions.tooManyConnections
}

/** Why no connection was to be had, and what to do about it. */
export function connectFault(error: unknown, settings: PostgresSettings): RegistryError {
  if (error instanceof RegistryError) return error
  return unavailable(`${describePlace(settings)}: ${connectReason(error, settings)}`, error)
}

function connectReason(error: unknown, { user, database, host, password }: PostgresSettings): string {
  if (isServerError(error)) return refusal(error, user, database)
  const message = error instanceof Error ? error.message : String(error)
  if (message.includes('SASL') && password === null) {
    return `the server asks user "${user}" for a password; set db.password or db.password_file.`
  }
  if (message.includes('does not support SSL'))
    return 'the server does not offer TLS; set up TLS there, or set db.tls to off.'
  if (isTlsFault(error))
    return `the certificate of the server is not trusted (${message}); check db.tls and db.tls_ca.`
  switch (systemCode(error)) {
    case 'ECONNREFUSED':
      return 'nobody listens there; start the server, or check db.host and db.port.'
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the name ${host} is not known; check db.host.`
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'there is no way to that host; check db.host and the network.'
    default:
      return message.includes('timeout')
        ? 'no answer in time; check db.host, db.port and firewalls.'
        : `${message}.`
  }
}

function refusal(error: Error & { code: string }, user: string, database: string): string {
  switch (error.code) {
    case conditions.invalidPassword:
      return `the password of user "${user}" is wrong; check db.user and db.password.`
    case conditions.invalidAuthorization:
      return `the server does not let user "${user}" in (${error.message}); check db.user, db.tls and pg_hba.conf.`
    case conditions.noSuchDatabase:
      return `there is no such database; create it: createdb --owner=${user} ${database}`
    case conditions.tooManyConnections:
      return 'the server has no connection left; raise its max_connections, or lower db.pool_size.'
    case conditions.cannotConnectNow:
      return 'the server is starting or stopping; try again.'
    default:
      return `${error.message} (${error.code}).`
  }
}

function systemCode(error: unknown): string {
  if (error instanceof AggregateError) return systemCode(error.errors[0])
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** Errors of `pg` itself: the password is missing, or the server does not offer TLS. */
function isMessageOfClient(error: unknown): boolean {
  return error instanceof Error && /SASL|does not support SSL/.test(error.message)
}

function isTlsFault(error: unknown): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS/.test(systemCode(error))
}

function unavailable(message: string, cause: unknown): RegistryError {
  return new RegistryError('METADATA_UNAVAILABLE', message, { cause })
}
