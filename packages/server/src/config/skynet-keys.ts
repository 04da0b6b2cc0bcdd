import { field } from './field.ts'
import { pinning } from './ipfs-keys.ts'
import { flag, origin, text } from './value-type.ts'

/** The keys of a Skynet portal. It is a backend once it is named. */
export const skynetKeys = {
  portal_url: field(origin(), null, {
    doc: 'A portal of Skynet. The public ones are closed, so it is one of your own. With it the backend skynet is there.',
  }),
  api_key: field(text('a key'), null, {
    doc: 'What the portal asks for as Skynet-Api-Key.',
    secret: true,
  }),
  secret: field(text('a secret of at least 16 characters', /^.{16,}$/), null, {
    doc: 'A secret that all servers of the registry share, and keep. Objects are found by entries that are signed with what follows from it; without it they are lost.',
    secret: true,
  }),
  public: field(flag(), 'true', {
    doc: 'Whether others can read there, as everybody can who knows a skylink. Private repositories are never written to such a backend.',
  }),
  ...pinning,
}
