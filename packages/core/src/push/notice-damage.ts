import type { Digest } from '@openregistry/oci'
import { backendNamed, type Ports } from '../settings.ts'

/**
 * Looks whether the object that the backend has of this content is there, in its size, and marks it otherwise. Of two
 * objects the older one stays, so without this a push could give up good bytes for an object that is lost.
 * @throws RegistryError storage faults.
 */
export async function noticeDamage(
  ports: Ports,
  { backend, sha256, size }: { backend: string; sha256: Digest; size: number },
): Promise<void> {
  const key = await ports.metadata.findStoredObject(sha256, backend)
  if (key === null) return
  const found = await backendNamed(ports, backend).stat(key)
  if (found?.size === size) return
  const state = found === null ? 'missing' : 'damaged'
  await ports.metadata.recordDamage({ state, at: { kind: 'object', backend, key } })
}
