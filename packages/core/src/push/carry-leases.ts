import type { UploadSession } from '../ports/metadata-store.ts'
import type { Ports } from '../settings.ts'

/**
 * An upload that takes long carries the leases of its repository with it: the layers that came before belong to the same
 * push as likely as not, and its manifest comes after the last one. Quick uploads carry nothing, so that what is never
 * needed goes in time however busy a repository is.
 * @param elapsed milliseconds since the session was looked up.
 */
export async function carryLeases(
  { metadata, settings }: Pick<Ports, 'metadata' | 'settings'>,
  { repository, age }: UploadSession,
  elapsed = 0,
): Promise<void> {
  if (age + elapsed < settings.lease / 4) return
  await metadata.renewLeases(repository.id, settings.lease)
}
