import type { RepositoryName } from '@openregistry/oci'
import type { Visibility } from './metadata-store.ts'

/**
 * Which backends there are, and what goes where: what steps hold a repository against. From the configuration, so that it
 * is the same for every process of a registry.
 */
export interface PlacementRules {
  /** Every backend, the default one first. */
  backends: readonly string[]
  /** Those whose content can reach the public network. */
  public: readonly string[]
  /** The backend of namespaces that have one of their own. */
  namespaces: Readonly<Record<string, string>>
  /** Backends that get a second copy of what may lie there. */
  replicas: readonly string[]
}

/** What of a repository decides where its content may lie. */
export interface PlacedRepository {
  name: RepositoryName
  visibility: Visibility
  /** Where it was moved to; null while it goes by the configuration. */
  backend: string | null
  /** Whether it was moved away from public backends: it has no copies there either, although it may be public. */
  confined: boolean
}
