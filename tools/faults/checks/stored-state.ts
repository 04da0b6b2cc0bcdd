import { createHash } from 'node:crypto'
import type { Deployment } from '../under-test/deployment.ts'

/** What the database says of an object. */
interface Location {
  key: string
  size: number
  sha256: string
}

/** A row of a layout that is pinned; bytes are text where rows come as JSON. */
interface Layout {
  root: Uint8Array | string
}

/**
 * Looks at the database and the objects themselves, while no registry runs: no row leads nowhere, every good location
 * has its object, byte for byte, and nothing waits to be deleted any more.
 * @returns one line for each thing that is wrong.
 */
export async function checkStoredState({ database, blobs }: Deployment): Promise<string[]> {
  const wrong = (await database.dangling()).map((text) => `the database has a dangling row: ${text}`)
  const locations = (await database.rows(`
    SELECT l.key AS key, b.size AS size, b.sha256 AS sha256 FROM blob_locations AS l JOIN blobs AS b ON b.id = l.blob_id
    WHERE l.key IS NOT NULL AND l.state = 'good'`)) as unknown as Location[]
  for (const { key, size, sha256 } of locations) {
    const found = await hashOf(await blobs.open(key))
    if (found === null) wrong.push(`the object ${key} of ${sha256} is missing`)
    else if (found.size !== Number(size) || found.sha256 !== sha256)
      wrong.push(`the object ${key} of ${sha256} has ${found.size} bytes that are ${found.sha256}`)
  }
  const pending = await database.rows('SELECT backend, key FROM pending_deletes')
  wrong.push(...pending.map((row) => `still to be deleted: ${JSON.stringify(row)}`))
  // A row of a layout is there before its pin, and goes after it.
  const layouts = (await database.rows('SELECT root FROM layout_pins')) as unknown as Layout[]
  const known = new Set([
    ...locations.map(({ key }) => key),
    ...layouts.map(({ root }) => `layouts/${hexOf(root)}`),
  ])
  for (const key of await blobs.keys()) if (!known.has(key)) wrong.push(`the object ${key} is nobody's`)
  return wrong
}

async function hashOf(
  bytes: AsyncIterable<Uint8Array> | null,
): Promise<{ size: number; sha256: string } | null> {
  if (bytes === null) return null
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of bytes) {
    hash.update(chunk)
    size += chunk.length
  }
  return { size, sha256: `sha256:${hash.digest('hex')}` }
}

function hexOf(bytes: Uint8Array | string): string {
  return typeof bytes === 'string' ? bytes.replace(/^\\x/, '') : bytes.toHex()
}
