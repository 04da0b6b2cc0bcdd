/** A test of a real client: its title is `<client>: <what>`. */
export interface ClientResult {
  client: string
  what: string
  state: 'passed' | 'failed' | 'skipped'
}

const ofClient = /^([a-z][a-z-]*): (.+)$/

/** The client and the subject in the title of a test, or null when it is about none. */
export function clientOf(title: string): { client: string; what: string } | null {
  const match = ofClient.exec(title)
  return match === null ? null : { client: match[1] ?? '', what: match[2] ?? '' }
}

/** A block for each client: how it came out in all, then every subject. Empty when no client was tested. */
export function clientMatrix(results: readonly ClientResult[]): string[] {
  const clients = Map.groupBy(results, ({ client }) => client)
  const lines: string[] = []
  for (const client of [...clients.keys()].toSorted()) {
    const own = clients.get(client) ?? []
    const count = (state: ClientResult['state']) => own.filter((one) => one.state === state).length
    const totals = [`${count('passed')} passed`]
    if (count('failed') > 0) totals.push(`${count('failed')} failed`)
    if (count('skipped') > 0) totals.push(`${count('skipped')} skipped`)
    lines.push(`${client}  ${totals.join(', ')}`)
    for (const { what, state } of own) lines.push(`  ${marks[state]} ${what}`)
  }
  return lines.length === 0 ? [] : ['', 'Clients:', ...lines.map((line) => `  ${line}`)]
}

const marks = { passed: 'ok  ', failed: 'FAIL', skipped: 'skip' } as const
