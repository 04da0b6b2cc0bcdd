import { parseRepositoryName } from '@openregistry/oci'
import { answerJson, type Call } from '../call.ts'

/** `GET /v2/` (end-1): whether this is a registry, and whether the credentials are good. */
export function handleBase(call: Call): void {
  call.registry.ping(call.principal)
  answerJson(call, 200, {}, '{}')
}

const discovery = {
  name: '_oci',
  description: 'Lists the extensions of this registry or of one repository.',
  url: 'https://github.com/opencontainers/distribution-spec/blob/main/extensions/_oci.md',
  endpoints: ['_oci/ext/discover'],
}

/** `GET /v2/_oci/ext/discover`, `GET /v2/<name>/_oci/ext/discover`: what there is beyond the specification. */
export async function handleExtensions(call: Call, name: string | null): Promise<void> {
  if (name === null) call.registry.ping(call.principal)
  else await call.registry.getRepository(call.principal, { repository: parseRepositoryName(name) })
  answerJson(call, 200, {}, { extensions: [discovery] })
}
