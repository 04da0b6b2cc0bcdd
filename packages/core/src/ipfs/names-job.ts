import type { JobKind } from '../jobs/job-kind.ts'
import type { Milliseconds } from '../ports/metadata-store.ts'
import type { NameKeys } from '../ports/name-keys.ts'
import type { Ports } from '../settings.ts'

/** How long what a name leads to may be believed: as Kubo does, so that a mirror bears a weekend's Sunday without us. */
export const nameLifetime: Milliseconds = 48 * 3_600_000

/** Names are renewed when less than this is left: whoever asks always gets one for a day at least. */
export const renewBefore: Milliseconds = nameLifetime / 2

/** Names of one step: a few milliseconds of the database. */
const batch = 200

/**
 * Renews names before nobody may believe them any more, and gives one to directories that have none: those of an older
 * release. After pushes names follow with the directory.
 * @returns how many were renewed.
 */
export async function renewNames(
  { metadata }: Pick<Ports, 'metadata'>,
  keys: NameKeys,
  signal?: AbortSignal,
): Promise<number> {
  let renewed = 0
  while (signal?.aborted !== true) {
    const due = await metadata.listDueNames(renewBefore, batch)
    if (due.length === 0) break
    const names = due.map(({ repositoryId }) => ({
      repositoryId,
      publicKey: keys.publicKey(repositoryId),
    }))
    await metadata.renewNames(names, { lifetime: nameLifetime, before: renewBefore })
    renewed += names.length
    if (due.length < batch) break
  }
  return renewed
}

/** Does so once an hour. */
export function namesJob(ports: Pick<Ports, 'metadata'>, keys: NameKeys): JobKind {
  return {
    name: 'registry.names',
    event: 'names_renewed',
    period: 3_600_000,
    attempts: 10,
    async run({ signal }) {
      const names = await renewNames(ports, keys, signal)
      return names === 0 ? null : { names }
    },
  }
}
