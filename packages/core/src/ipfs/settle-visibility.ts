import type { JobKind } from '../jobs/job-kind.ts'
import type { UnsettledRepository } from '../ports/ipfs.ts'
import type { Ports } from '../settings.ts'

/** Rows of one step: a few milliseconds of the database. */
const limit = 500

/** Repositories that are looked up at once. */
const batch = 100

/** Under which name the job of {@link settleJob} is asked for. */
export const settleJobName = 'registry.visibility'

/**
 * Has the rows of repositories whose visibility changed follow, so that looking for public content need not ask private
 * ones. What may be seen does not wait for it.
 * @returns how many repositories were done. One in which somebody is at work all the time is left for the next run.
 */
export async function settleVisibility(
  { metadata }: Pick<Ports, 'metadata'>,
  signal?: AbortSignal,
): Promise<number> {
  let settled = 0
  let after = ''
  for (;;) {
    const repositories = await metadata.listUnsettled(after, batch)
    for (const repository of repositories) {
      if (!(await settleContents({ metadata }, repository, signal))) return settled
      settled += Number(await metadata.endSettling(repository))
    }
    const last = repositories.at(-1)
    if (last === undefined) return settled
    after = last.id
  }
}

/** False when the signal aborted before all rows were gone through. */
async function settleContents(
  { metadata }: Pick<Ports, 'metadata'>,
  repository: UnsettledRepository,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  for (const content of ['blobs', 'manifests'] as const) {
    for (let after: string | null = ''; after !== null;) {
      if (signal?.aborted === true) return false
      after = await metadata.settleContent({ ...repository, content, after, limit })
    }
  }
  return true
}

/** Does so whenever a visibility was changed, and once a minute, for what was left. */
export function settleJob(ports: Pick<Ports, 'metadata'>): JobKind {
  return {
    name: settleJobName,
    event: 'visibility_settled',
    period: 60_000,
    attempts: 10,
    async run({ signal }) {
      const repositories = await settleVisibility(ports, signal)
      return repositories === 0 ? null : { repositories }
    },
  }
}
