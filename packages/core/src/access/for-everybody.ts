import type { RepositoryFacts } from '../ports/metadata-store.ts'
import { decide } from './decide.ts'
import { anonymous } from './principal.ts'

/** Whether the gate lets everybody pull, with the facts that came with the data: what it lets nobody pull is not there. */
export function isForEverybody(repository: RepositoryFacts): boolean {
  const resource = { kind: 'repository', name: repository.name } as const
  return decide(anonymous, { action: 'pull', resource }, { repository }).allow
}
