import { hash, randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { fillOurs } from '../peers/openregistry.ts'
import type { Site } from '../peers/peer.ts'
import { BlobRows, seedId, type RowSink } from './openregistry-rows.ts'

/** How many blobs nobody needs, and the bytes of each. */
export interface DeadBlobs {
  count: number
  size: number
}

/** Ends the name of every such object, so that what is left can be counted. */
const mark = 'dead'.padStart(32, '0')

/** Files written at the same time. */
const atOnce = 32

/** The id of an upload: it begins with the two digits of the shard folder. */
function uploadOf(index: number): string {
  return hash('md5', `upload ${index}`, 'hex')
}

function folderOf({ folder }: Site, upload: string): string {
  return `${folder}/data/blobs/${upload.slice(0, 2)}`
}

/** Bytes that no other blob has. */
function contentOf(base: Buffer, index: number): Buffer {
  const content = Buffer.from(base)
  content.writeUInt32BE(index)
  return content
}

async function writeObjects(site: Site, base: Buffer, count: number): Promise<void> {
  const shards = new Set<string>()
  for (let index = 0; index < count; index++) shards.add(folderOf(site, uploadOf(index)))
  for (const shard of shards) await mkdir(shard, { recursive: true })
  let next = 0
  const work = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) {
      const upload = uploadOf(index)
      await writeFile(`${folderOf(site, upload)}/${upload}.${mark}`, contentOf(base, index))
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
}

/** Links whose leases were over an hour ago, one after another as they were pushed, in one repository, without a manifest. */
function rowsOf(base: Buffer, count: number, sink: RowSink): void {
  const past = Date.now() - 3_600_000
  const repository = seedId(0)
  sink('repositories', [repository, 'bench/dead', 'public', true, past])
  const blobs = new BlobRows(sink, past)
  for (let index = 0; index < count; index++) {
    const digest = `sha256:${hash('sha256', contentOf(base, index), 'hex')}`
    const id = blobs.add(digest, base.length, { key: `${uploadOf(index)}/${mark}` })
    sink('repository_blobs', [repository, digest, id, 'bench', past - count + index])
  }
}

/** Fills a registry of ours with blobs that were pushed and never needed, with their files. */
export async function fillWithDeadBlobs(site: Site, { count, size }: DeadBlobs): Promise<void> {
  const base = randomBytes(size)
  await fillOurs(site, (sink) => rowsOf(base, count, sink))
  await writeObjects(site, base, count)
}

/** How many of their files are still there. */
export function countDeadBlobs({ folder }: Site): number {
  let count = 0
  for (const shard of readdirSync(`${folder}/data/blobs`)) {
    if (!/^[0-9a-f]{2}$/.test(shard)) continue
    for (const name of readdirSync(`${folder}/data/blobs/${shard}`)) if (name.endsWith(mark)) count++
  }
  return count
}
