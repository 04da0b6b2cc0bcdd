import { createContentHasher } from '@openregistry/blobs'
import type { ExposedRepository, MetadataStore } from '@openregistry/core'
import { RegistryError, type RepositoryName } from '@openregistry/oci'
import type { Config } from '@openregistry/server/config'
import { CommandError } from '../exit-codes.ts'
import { openBackends } from '../open-backends.ts'
import { openMetadata } from '../open-metadata.ts'
import { requireRegistry } from '../require-registry.ts'
import { failed, ok, type Finding } from './finding.ts'

/** How many repositories are looked at together, and how many are named. */
const [pageSize, named] = [1000, 5]

/**
 * Whether private repositories have content in public backends. The registry puts none there; a backend that is called public
 * later has what it has. Costs a look at all links, so only where there is such a backend.
 */
export async function checkPlacement(config: Config): Promise<Finding[]> {
  await using opened = new AsyncDisposableStack()
  const stores = await openBackends(config, opened, { hasher: opened.use(createContentHasher()) })
  const open = stores.filter((store) => store.public).map(({ backend }) => backend)
  if (open.length === 0) return []
  let exposed: ExposedRepository[]
  try {
    await requireRegistry(config)
    exposed = await findExposed(
      opened.use(await openMetadata(config, { serving: false, autoMigrate: false })),
      open,
    )
  } catch (error) {
    // There is none yet, or another finding says why it cannot be looked into.
    if (error instanceof RegistryError || error instanceof CommandError) return []
    throw error
  }
  const [first] = exposed
  if (first === undefined) return [ok('placement', 'no private repository has content in public storage')]
  const list = exposed.slice(0, named).map(({ name, backend }) => `${name} (${backend})`)
  const more = exposed.length > named ? ' and others' : ''
  return [
    failed(
      'placement',
      `private repositories have content in public storage: ${list.join(', ')}${more}`,
      `Move them (openregistry move ${first.name} --to <backend>). Copies that others have fetched cannot be recalled.`,
    ),
  ]
}

async function findExposed(metadata: MetadataStore, open: readonly string[]): Promise<ExposedRepository[]> {
  const exposed: ExposedRepository[] = []
  for (let after: RepositoryName | null = null, more = true; more && exposed.length <= named;) {
    const page = await metadata.listExposed(open, { after, limit: pageSize })
    exposed.push(...page.items.filter(({ backend }) => backend !== null))
    after = page.items.at(-1)?.name ?? null
    more = page.more
  }
  return exposed
}
