import { RegistryError } from '@openregistry/oci'
import type { Ports } from './settings.ts'

/** How a part does. `unknown`: another part hides it. */
export type PartState = 'ok' | 'full' | 'failing' | 'no answer' | 'unknown'

/** Whether database, schema and every backend would take a write now, by the name of the part. */
export type Readiness = Readonly<Record<string, { state: PartState; error: unknown }>>

/** How long a part may take to answer, in milliseconds. */
const patience = 3000

/**
 * Makes the question whether this process could serve. Those who ask at the same time get one answer: whoever may ask
 * needs no credentials, and each answer costs a disk sync.
 */
export function createReadiness({ metadata, backends }: Ports): () => Promise<Readiness> {
  const ask = async (): Promise<Readiness> => {
    const stores = [...backends].map(
      async ([name, store]) => [`backend ${name}`, await stateOf(store.check())] as const,
    )
    const [database, ...others] = await Promise.all([stateOf(metadata.check()), ...stores])
    return { ...schemaApart(database), ...Object.fromEntries(others) }
  }
  let asked: Promise<Readiness> | null = null
  return () => (asked ??= ask().finally(() => (asked = null)))
}

type Part = Readiness[string]

async function stateOf(check: Promise<void>): Promise<Part> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Part>((resolve) => {
    timer = setTimeout(() => resolve({ state: 'no answer', error: `No answer in ${patience} ms.` }), patience)
  })
  const answered = check.then<Part, Part>(
    () => ({ state: 'ok', error: null }),
    (error: unknown) => ({ state: isFull(error) ? 'full' : 'failing', error }),
  )
  return Promise.race([answered, late]).finally(() => clearTimeout(timer))
}

function isFull(error: unknown): boolean {
  return error instanceof RegistryError && error.code === 'STORAGE_FULL'
}

/** A database that answers may still have the wrong tables; who operates it has to do something else then. */
function schemaApart(database: Part): Readiness {
  if (database.state === 'ok') return { database, schema: database }
  const { error } = database
  if (error instanceof RegistryError && (error.detail as { part?: string } | undefined)?.part === 'schema') {
    return { database: { state: 'ok', error: null }, schema: database }
  }
  return { database, schema: { state: 'unknown', error: null } }
}
