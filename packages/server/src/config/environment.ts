import { fieldsOf, type Section } from './field.ts'
import type { FoundValue } from './found-value.ts'
import { laterKey } from './later.ts'
import { didYouMean } from './nearest.ts'
import type { Problem } from './problem.ts'

/** What every variable of ours begins with. */
const prefix = 'OPEN_REGISTRY_'

/** Variables of ours that are not keys: the name of the file, and what belongs to commands that ask a registry. */
const otherVariables = new Set(
  ['CONFIG', 'SERVER', 'USERNAME', 'PASSWORD', 'PASSWORD_FILE'].map((name) => prefix + name),
)

/**
 * Variables that Kubernetes and old Docker links make for a service called `open-registry`: addresses that nobody set.
 * Only with their values, so that a hopeful OPEN_REGISTRY_PORT=5001 is still told what it should be.
 */
function isServiceLink(name: string, value: string): boolean {
  if (/^(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?)$/.test(name)) return true
  if (/^PORT(?:_\d+_(?:TCP|UDP|SCTP))?$/.test(name)) return /^(?:tcp|udp|sctp):\/\//.test(value)
  return /^PORT_\d+_(?:TCP|UDP|SCTP)_(?:PROTO|PORT|ADDR)$/.test(name)
}

/** The variable of a key: `dfs.disk.path` is OPEN_REGISTRY_DFS_DISK_PATH. */
export function variableOf(key: string): string {
  return prefix + key.replaceAll('.', '_').toUpperCase()
}

/**
 * Reads the environment against the tree of keys. An empty variable counts as not set, since that is what remains of
 * it in many a script. Unknown variables that begin with ours are problems.
 */
export function readEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  tree: Section,
): { values: FoundValue[]; problems: Problem[] } {
  const known = new Map<string, { key: string; inFile: boolean }>()
  for (const [key, field] of fieldsOf(tree)) {
    known.set(variableOf(key), { key, inFile: false })
    if (field.secret) known.set(`${variableOf(key)}_FILE`, { key, inFile: true })
  }
  const values: FoundValue[] = []
  const problems: Problem[] = []
  for (const [name, raw] of Object.entries(env)) {
    if (!name.startsWith(prefix) || otherVariables.has(name) || raw === undefined || raw === '') continue
    if (isServiceLink(name.slice(prefix.length), raw)) continue
    const origin = { kind: 'environment', name } as const
    const target = known.get(name)
    if (target !== undefined) values.push({ ...target, origin, raw })
    else
      problems.push({
        key: null,
        origin,
        message: unknownVariable(name, [...known.keys(), ...otherVariables]),
      })
  }
  return { values, problems }
}

function unknownVariable(name: string, known: readonly string[]): string {
  // A path cannot be read back from a name (`_` is in both), so later keys are found by trying every cut.
  const words = name.slice(prefix.length).toLowerCase().split('_')
  for (let cut = 1; cut < words.length; cut++) {
    const later = laterKey(`${words.slice(0, cut).join('_')}.${words.slice(cut).join('_')}`)
    if (later !== null) return `not in this release; ${later} arrives with a later one`
  }
  // A key without the group before it, such as PORT, is no misspelling: the first key of that name is meant.
  const whole = known.find((candidate) => candidate.endsWith(name.slice(prefix.length - 1)))
  return `unknown variable${whole === undefined ? didYouMean(name, known) : `; did you mean ${whole}?`}`
}
