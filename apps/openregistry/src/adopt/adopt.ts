import { openDiskBlobStore } from '@openregistry/blobs'
import { adoptBackend, examineAdoption, type AdoptionFacts } from '@openregistry/core'
import type { Config } from '@openregistry/server/config'
import { CommandError } from '../exit-codes.ts'
import { openMetadata } from '../open-metadata.ts'
import { requireRegistry } from '../require-registry.ts'
import { formatCount } from '../terminal/amounts.ts'
import { confirm, printJson, say } from '../terminal/print.ts'

/** What the command line says. */
export interface AdoptCommand {
  acceptMissing?: boolean
  yes?: boolean
  json?: boolean
}

/**
 * `openregistry adopt`: gives the blob folder of the configuration to its database.
 * @throws CommandError when objects are missing, or nobody confirms; RegistryError.
 */
export async function adopt(config: Config, command: AdoptCommand): Promise<void> {
  await requireRegistry(config)
  await using metadata = await openMetadata(config, { serving: false, autoMigrate: false })
  const { path } = config.dfs.disk
  if (path === null) throw new CommandError('the configuration names no blob folder.')
  await using disk = await openDiskBlobStore({ path, create: false })
  const facts = await examineAdoption(metadata, disk)
  const { fits, presence } = facts
  if (command.json !== true) describe(disk.place, facts)
  if (!fits && command.acceptMissing !== true) {
    throw new CommandError(
      'nothing was changed. Name the place where the objects are (dfs.disk.path); if they are lost, --accept-missing goes ' +
        'on without them: what is missing is then answered as not here, and pushes bring it back.',
    )
  }
  await confirm(`Tie ${disk.place} to this database?`, command)
  const identity = await adoptBackend(metadata, disk)
  if (command.json === true) {
    const { backend, place } = disk
    return printJson({ backend, place, before: facts.identity, identity, ...presence })
  }
  say(`${capitalized(disk.place)} belongs to this database now, and every other one refuses it.`)
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
