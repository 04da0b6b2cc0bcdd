import { defaultIdleInTransaction, type PostgresSettings } from './settings.ts'

/**
 * When the server takes a client for dead that answers nothing any more, in seconds and milliseconds: within a minute, not
 * after the two hours of most systems. Through a pooler this is about the pooler.
 */
const deadClients = {
  tcp_keepalives_idle: 30,
  tcp_keepalives_interval: 10,
  tcp_keepalives_count: 3,
  tcp_user_timeout: 60_000,
}

/**
 * The statement with which a connection begins: it sets what holds for the session. It is a statement, because poolers such
 * as PgBouncer refuse a startup message with parameters that they do not know; and each value is given, since the
 * database or the user may have others. What a server does not know is left out.
 */
export function sessionStatement({
  statementTimeout,
  lockTimeout,
  idleInTransaction = defaultIdleInTransaction,
}: PostgresSettings): string {
  const settings = {
    statement_timeout: statementTimeout,
    lock_timeout: lockTimeout,
    // Whoever stands still in the middle of a step, or is gone without a word, holds locks that others wait for.
    idle_in_transaction_session_timeout: idleInTransaction,
    ...deadClients,
    // What `value-types.ts` reads.
    bytea_output: 'hex',
    // A plan that was made while a table had a page or two is kept until the table is analyzed, however large it is by
    // then. Every statement has an index, but for surveys, which turn this on again.
    enable_seqscan: 'off',
    // Compiling a query costs more than any of ours takes.
    jit: 'off',
  }
  const rows = Object.entries(settings).map(([name, value]) => `('${name}', '${value}')`)
  return `SELECT set_config(name, value, false) FROM (VALUES ${rows.join(', ')}) AS wanted (name, value)
    WHERE current_setting(name, true) IS NOT NULL`
}
