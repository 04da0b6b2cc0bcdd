import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { parseRepositoryName } from '@openregistry/oci'
import { manifestAt } from '@openregistry/testkit'
import { openSqliteMetadataStore } from './open.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** Runs the process until it has acknowledged this many steps, and kills it. Gives what it acknowledged. */
async function killAfter(
  file: string,
  run: number,
  wanted: number,
): Promise<[tag: string, digest: string][]> {
  const script = fileURLToPath(new URL('./put-until-killed.ts', import.meta.url))
  const child = spawn(process.execPath, [script, file, String(run)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  let output = ''
  for await (const chunk of child.stdout) {
    output += String(chunk)
    if (output.split('\n').length > wanted) child.kill('SIGKILL')
  }
  const [code, signal] = (await ended) as [number | null, string | null]
  expect({ code, signal }).toStrictEqual({ code: null, signal: 'SIGKILL' })
  return output
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split(' ') as [string, string])
}

test('whatever was acknowledged survives kill -9', async () => {
  await using folder = await temporaryFolder()
  const acknowledged: [string, string][] = []
  for (let run = 0; run < 4; run++) acknowledged.push(...(await killAfter(folder.file, run, 40 + 35 * run)))
  expect(acknowledged.length).toBeGreaterThan(350)
  await using store = await openSqliteMetadataStore({ file: folder.file, autoMigrate: true })
  const name = parseRepositoryName('killed/again')
  for (const [tag, digest] of acknowledged) {
    expect((await manifestAt(store, name, tag))?.digest).toBe(digest)
    expect(await manifestAt(store, name, digest)).not.toBeNull()
  }
  using database = new DatabaseSync(folder.file, { readOnly: true })
  expect(database.prepare('PRAGMA integrity_check').get()).toMatchObject({ integrity_check: 'ok' })
  expect(database.prepare('PRAGMA foreign_key_check').all()).toStrictEqual([])
})
