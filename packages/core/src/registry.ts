import { authorizeInstance } from './access/authorize.ts'
import type { Principal } from './access/principal.ts'
import { listReferrers } from './discover/list-referrers.ts'
import { listRepositories } from './discover/list-repositories.ts'
import { listTagNames, listTags } from './discover/list-tags.ts'
import { listTagStorage } from './discover/list-tag-storage.ts'
import { listTagHistory } from './history/list-tag-history.ts'
import { restore } from './history/restore.ts'
import { imageCid, repositoryCid } from './ipfs/image-cid.ts'
import { deleteBlob, deleteManifest } from './manage/delete-content.ts'
import { inspectImage } from './manage/inspect-image.ts'
import { deleteRepository, getRepository, setVisibility } from './manage/repositories.ts'
import { cancelMove, getMove, moveRepository } from './placement/move-repository.ts'
import { getManifest } from './pull/get-manifest.ts'
import { describeBlob, openBlob } from './pull/open-blob.ts'
import { appendPart } from './push/append-part.ts'
import { cancelUpload } from './push/cancel-upload.ts'
import { finishUpload } from './push/finish-upload.ts'
import { mountBlob } from './push/mount-blob.ts'
import { openUpload } from './push/open-upload.ts'
import { putManifest } from './push/put-manifest.ts'
import { requirePush } from './push/require-push.ts'
import { uploadStatus } from './push/upload-status.ts'
import { createReadiness, type Readiness } from './readiness.ts'
import type { Ports } from './settings.ts'

/** Every use case of a principal. Each asks the access gate before it touches data. */
const useCases = {
  appendPart,
  cancelMove,
  cancelUpload,
  deleteBlob,
  deleteManifest,
  deleteRepository,
  describeBlob,
  finishUpload,
  getManifest,
  getMove,
  getRepository,
  imageCid,
  inspectImage,
  listReferrers,
  listRepositories,
  listTagHistory,
  listTagNames,
  listTags,
  listTagStorage,
  mountBlob,
  moveRepository,
  openBlob,
  openUpload,
  putManifest,
  repositoryCid,
  requirePush,
  restore,
  setVisibility,
  uploadStatus,
}

/** The names of all use cases; the matrix of principals × use cases is generated from it. */
export const useCaseNames = Object.keys(useCases) as readonly (keyof typeof useCases)[]

type Bound<F> = F extends (ports: Ports, principal: Principal, input: infer I) => infer R
  ? (principal: Principal, input: I) => R
  : never

/**
 * The registry without any transport. This is all that a transport is given: the ports stay in here, so no route can
 * reach data around the gate.
 */
export type Registry = { readonly [K in keyof typeof useCases]: Bound<(typeof useCases)[K]> } & {
  /** Whether the principal may talk to this registry at all. @throws RegistryError `UNAUTHORIZED`. */
  ping(principal: Principal): void
  /** Whether the principal may see how the instance does (metrics). @throws RegistryError `UNAUTHORIZED`, `DENIED`. */
  requireOperator(principal: Principal): void
  /** Whether database and backends would take a write now. */
  readiness(): Promise<Readiness>
}

/** Binds the use cases to their ports. */
export function createRegistry(ports: Ports): Registry {
  const bound: Record<string, unknown> = {}
  for (const [name, useCase] of Object.entries(useCases)) {
    bound[name] = (principal: Principal, input: never) => useCase(ports, principal, input)
  }
  return {
    ...(bound as { [K in keyof typeof useCases]: Bound<(typeof useCases)[K]> }),
    ping: (principal) => authorizeInstance(principal, 'ping'),
    requireOperator: (principal) => authorizeInstance(principal, 'operate'),
    readiness: createReadiness(ports),
  }
}
