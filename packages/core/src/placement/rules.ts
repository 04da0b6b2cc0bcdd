import { namespaceOf, RegistryError } from '@openregistry/oci'
import type { PlacedRepository, PlacementRules } from '../ports/placement.ts'
import type { Ports } from '../settings.ts'

/**
 * The kind of job that brings the content of a repository to the backend that it was moved to. Key and payload are the
 * repository's id, so that a step can ask for it.
 */
export const moveJobName = 'registry.move'

/** The rules that the configuration and the backends come to. */
export function placementOf({ backends, settings }: Pick<Ports, 'backends' | 'settings'>): PlacementRules {
  const { backend, namespaces, replicas } = settings
  return {
    backends: [backend, ...[...backends.keys()].filter((name) => name !== backend)],
    public: [...backends].filter(([, store]) => store.public).map(([name]) => name),
    namespaces,
    replicas,
  }
}

/** Whether content of this repository may lie in a backend that others can read without us. */
export function mayBePublic({
  visibility,
  confined,
}: Pick<PlacedRepository, 'visibility' | 'confined'>): boolean {
  return visibility === 'public' && !confined
}

/** Whether content of the repository may lie in this backend. */
export function isAllowed(
  rules: PlacementRules,
  repository: Pick<PlacedRepository, 'visibility' | 'confined'>,
  backend: string,
): boolean {
  return mayBePublic(repository) || !rules.public.includes(backend)
}

/**
 * The backends that content of a repository may lie in, best first; new content goes to the first. A repository that was
 * moved, or whose namespace has a backend of its own, has that one alone.
 */
export function backendsFor(rules: PlacementRules, repository: PlacedRepository): string[] {
  const own = repository.backend ?? ownBackendOf(rules, repository)
  if (own !== null && isAllowed(rules, repository, own)) return [own]
  return rules.backends.filter((backend) => isAllowed(rules, repository, backend))
}

function ownBackendOf({ namespaces }: PlacementRules, { name }: PlacedRepository): string | null {
  const namespace = namespaceOf(name)
  return Object.hasOwn(namespaces, namespace) ? (namespaces[namespace] ?? null) : null
}

/**
 * The backend that new content of a repository goes to.
 * @throws RegistryError `DENIED` when it is not public and every backend is; `STORAGE_UNAVAILABLE` when the one that it
 * was moved to is not configured here.
 */
export function backendFor(rules: PlacementRules, repository: PlacedRepository): string {
  const [first] = backendsFor(rules, repository)
  if (first === undefined) {
    throw new RegistryError(
      'DENIED',
      `The repository is private, and every storage backend here is public (${rules.public.join(', ')}): whoever is on its network could read the content. ${remedy}`,
    )
  }
  if (rules.backends.includes(first)) return first
  throw new RegistryError(
    'STORAGE_UNAVAILABLE',
    `The storage backend "${first}" of this repository is not configured here.`,
  )
}

/** What an operator can do where content may lie in no backend. */
const remedy =
  'Say that the network of a backend is private, if it is (dfs.ipfs.public: false), or configure a backend that is not public.'

/** The refusal of content that lies, or would lie, in a backend that its repository may not use. */
export function misplaced(
  rules: PlacementRules,
  repository: PlacedRepository,
  backend: string,
): RegistryError {
  const [better] = backendsFor(rules, { ...repository, backend: null })
  const advice =
    better === undefined ? remedy : `Move it first: openregistry move ${repository.name} --to ${better}`
  return new RegistryError(
    'CONFLICT',
    `The storage backend "${backend}" is public, and ${repository.name} may not have content there. ${advice}`,
  )
}
