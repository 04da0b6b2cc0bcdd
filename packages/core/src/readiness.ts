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
 * needs no credentials, and each answer costs a disk sync. A part that has not answered yet is not asked again: each
 * question holds a connection or a thread until then, and whoever asks every second would soon hold all of them.
 */
export function createReadiness({ metadata, backends }: Ports): () => Promise<Readiness> {
  const database = oneAtATime(() => metadata.check())
  const stores = [...backends].map(
    ([name, store]) => [`backend ${name}`, oneAtATime(() => store.check())] as const,
  )
  const ask = async (): Promise<Readiness> => {
    const others = stores.map(async ([name, check]) => [name, await inTime(check())] as const)
    const [first, ...rest] = await Promise.all([inTime(database()), ...others])
    return { ...schemaApart(first), ...Object.fromEntries(rest) }
  }
  return oneAtATime(ask)
}

type Part = Readiness[string]

/** Whoever asks while an answer is under way gets that one. */
function oneAtATime<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | null = null
  return () => (asked ??= ask().finally(() => (asked = null)))
}

async function inTime(check: Promise<void>): Promise<Part> {
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
