import { createContentHasher } from '@openregistry/blobs'
import { adoptBackend, examineAdoption, type AdoptionFacts } from '@openregistry/core'
import type { Config } from '@openregistry/server/config'
import { CommandError, exitCodes } from '../exit-codes.ts'
import { openBackends, type Backend } from '../open-backends.ts'
import { openMetadata } from '../open-metadata.ts'
import { requireRegistry } from '../require-registry.ts'
import { formatCount } from '../terminal/amounts.ts'
import { confirm, printJson, say } from '../terminal/print.ts'

/** What the command line says. */
export interface AdoptCommand {
  /** Name of the backend; the one that new blobs go to unless said otherwise. */
  backend?: string
  acceptMissing?: boolean
  yes?: boolean
  json?: boolean
}

/**
 * `openregistry adopt`: gives a backend of the configuration, such as the blob folder, to its database.
 * @throws CommandError when objects are missing, or nobody confirms; RegistryError.
 */
export async function adopt(config: Config, command: AdoptCommand): Promise<void> {
  await requireRegistry(config)
  await using metadata = await openMetadata(config, { serving: false, autoMigrate: false })
  await using opened = new AsyncDisposableStack()
  const store = await backendOf(config, command.backend ?? config.dfs.default, opened)
  const facts = await examineAdoption(metadata, store)
  const { fits, presence } = facts
  if (command.json !== true) describe(store.place, facts)
  if (!fits && command.acceptMissing !== true) {
    throw new CommandError(
      'nothing was changed. Name the place where the objects are (below dfs); if they are lost, --accept-missing goes ' +
        'on without them: what is missing is then answered as not here, and pushes bring it back.',
    )
  }
  await confirm(`Tie ${store.place} to this database?`, command)
  const identity = await adoptBackend(metadata, store)
  if (command.json === true) {
    const { backend, place } = store
    return printJson({ backend, place, before: facts.identity, identity, ...presence })
  }
  say(`${capitalized(store.place)} belongs to this database now, and every other one refuses it.`)
}

async function backendOf(config: Config, name: string, opened: AsyncDisposableStack): Promise<Backend> {
  const stores = await openBackends(config, opened, { hasher: opened.use(createContentHasher()) })
  const store = stores.find(({ backend }) => backend === name)
  if (store !== undefined) return store
  const names = stores.map(({ backend }) => backend).join(', ')
  throw new CommandError(`there is no backend "${name}" in the configuration; there is ${names}.`, {
    exitCode: exitCodes.usage,
  })
}

function describe(place: string, { identity, presence, fits, holdsOthers }: AdoptionFacts): void {
  const { asked, missing } = presence
  if (identity === 'other')
    say(`${capitalized(place)} belongs to another database: its servers will refuse it from then on.`)
  if (identity === 'own')
    say(
      `${capitalized(place)} belongs to this database already. Copies of this database will not be taken for it any more.`,
    )
  if (asked > 0) {
    const looked = `${formatCount(asked, 'object')} of the database ${asked === 1 ? 'was' : 'were'} looked for`
    say(missing === 0 ? `${looked}, and all are there.` : `${looked}; ${missing} of them are missing.`)
  } else if (!fits) {
    say('The database knows of damaged and missing objects alone.')
  }
  if (holdsOthers)
    say('It holds objects, and the database names none of them: they will be taken for left-overs.')
}

function capitalized(place: string): string {
  return `${place.slice(0, 1).toUpperCase()}${place.slice(1)}`
}
