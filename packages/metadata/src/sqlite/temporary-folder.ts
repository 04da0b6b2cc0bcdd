import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder for one test; `await using` removes it. */
export async function temporaryFolder(): Promise<AsyncDisposable & { path: string; file: string }> {
  const path = await mkdtemp(join(tmpdir(), 'openregistry-metadata-'))
  return {
    path,
    file: join(path, 'registry.db'),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  }
}
