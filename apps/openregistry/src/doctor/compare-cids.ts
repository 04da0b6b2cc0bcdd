import { randomBytes } from 'node:crypto'
import { hashInline } from '@openregistry/blobs'
import { newStorageKey, newUploadId, type BlobStore, type ReportsCids } from '@openregistry/core'
import { unixfsTree } from '@openregistry/dag'
import { ok, warning, type Finding } from './finding.ts'

/** Bytes of an object of two leaves: how a service cuts content shows only in content of several blocks. */
const size = 1024 * 1024 + 1

/** Whether a backend that is on IPFS has content there under the CIDs by which the registry knows it. */
export async function compareCids(store: BlobStore & ReportsCids, check: string): Promise<Finding> {
  const key = newStorageKey(newUploadId())
  const bytes = randomBytes(size)
  await store.write(key, once(bytes))
  let reported: string | null
  try {
    reported = await store.reportedCid(key)
  } finally {
    await store.delete(key)
  }
  const hash = (content: Uint8Array): Uint8Array => hashInline(content, { sha512: false }).sha256
  const { cid } = unixfsTree(hashInline(bytes, { sha512: false }), hash)
  if (reported === null) return ok(check, 'it does not say under which CIDs its objects are on IPFS')
  if (reported === cid) return ok(check, 'its objects are on IPFS under the CIDs of the registry')
  const message = `it puts its objects on IPFS under CIDs of its own: ${reported} is ${cid} here`
  return warning(
    check,
    message,
    'Pushes and pulls are not concerned. By the CIDs of the registry, fetch from the registry.',
  )
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes
}
