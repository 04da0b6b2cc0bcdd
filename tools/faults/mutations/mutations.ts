/** A small patch that takes one promise away; the harness must notice. */
export interface Mutation {
  name: string
  file: string
  /** Occurs exactly once in the file. */
  find: string
  replace: string
  /** What nobody would keep any more. */
  loses: string
}

const disk = 'packages/blobs/src/disk'
const push = 'packages/core/src/push'
const steps = 'packages/metadata/src/steps'
const rows = 'packages/metadata/src/rows'

/** Every one must turn the harness red. */
export const mutations: readonly Mutation[] = [
  {
    name: 'no sync of the file',
    file: `${disk}/write-object.ts`,
    find: 'await guarded(writeBack.finish())',
    replace: 'await writeBack.settled()',
    loses: 'bytes of an acknowledged blob after a power cut',
  },
  {
    name: 'no sync of the folder',
    file: `${disk}/write-object.ts`,
    find: 'await guarded(folder.sync())',
    replace: 'void folder',
    loses: 'the name of an acknowledged blob after a power cut',
  },
  {
    name: 'a folder sync that began too early',
    file: `${disk}/folder-sync.ts`,
    find: 'if (this.#next !== null) return this.#next',
    replace: 'if (this.#running !== null) return this.#running',
    loses: 'the name of a file that was made while the sync was under way',
  },
  {
    name: 'no compare-and-set in addPart',
    file: `${steps}/add-part.ts`,
    find: 'WHERE id = ${upload} AND received = ${part.offset} AND',
    replace: 'WHERE id = ${upload} AND',
    loses: 'the offset, when two clients continue one upload',
  },
  {
    name: 'no compare-and-set in commitBlob',
    file: `${steps}/commit-blob.ts`,
    find: 'AND received = ${input.offset} AND',
    replace: 'AND',
    loses: 'bytes that another client added meanwhile',
  },
  {
    name: '201 before the commit',
    file: `${push}/finish-upload.ts`,
    find: 'await commit(ports, session, whole, {',
    replace: 'void commit(ports, session, whole, {',
    loses: 'a blob that was acknowledged and never committed',
  },
  {
    name: 'the object of a step that may have happened is deleted',
    file: `${push}/append-part.ts`,
    find: 'if (isLostRace(error)) await discard(ports, session, received)',
    replace: 'await discard(ports, session, received)',
    loses: 'a part whose row is there',
  },
  {
    name: 'the wrong object is deleted',
    file: `${rows}/location.ts`,
    find: `} else if (key !== null && key !== found.key) {
    yield* deleteLater(sql, place, key)`,
    replace: `} else if (key !== null && found.key !== null && key !== found.key) {
    yield* deleteLater(sql, place, found.key)`,
    loses: 'a blob that is pushed a second time',
  },
  {
    name: 'a sweep that does not look for locations',
    file: `${steps}/sweep-upload.ts`,
    find: 'WHERE NOT EXISTS (',
    replace: 'WHERE TRUE OR NOT EXISTS (',
    loses: 'every blob whose upload has run out of time',
  },
  {
    name: 'a manifest without a look at its blobs',
    file: `${rows}/manifest.ts`,
    find: 'if (missing.length > 0) {',
    replace: 'if (missing.length < 0) {',
    loses: 'the promise that what a manifest needs is here',
  },
  {
    name: 'a deleted manifest keeps its tags',
    file: `${steps}/delete-manifest.ts`,
    find: 'yield* dropTagsOf(sql, { repositoryId: repository.id, principal }, { id: manifest.id, digest })',
    replace: 'void dropTagsOf',
    loses: 'the deletion: a tag leads to what is gone',
  },
  {
    name: 'parts that were joined stay',
    file: `${rows}/session.ts`,
    find: 'WHERE upload_id = ${upload} AND key IS NOT NULL AND key <> ${kept ??',
    replace: 'WHERE FALSE AND upload_id = ${upload} AND key IS NOT NULL AND key <> ${kept ??',
    loses: 'space, before the tombstone is swept',
  },
  {
    name: 'pending deletes are forgotten before their objects are gone',
    file: 'packages/core/src/housekeeping/sweep.ts',
    find: 'await backendNamed(ports, backend).delete(key)',
    replace: 'void backend, key',
    loses: 'space for ever',
  },
]
