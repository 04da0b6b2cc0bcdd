import { access, constants, open, rm, stat, statfs } from 'node:fs/promises'
import { randomUUID } from 'node:crypto'
import { dirname, join } from 'node:path'
import type { Config } from '@openregistry/server/config'
import { formatBytes } from '../terminal/amounts.ts'
import { failed, ok, warning, type Finding } from './finding.ts'

/** Free space below which a push of an ordinary image may fail, and below which next to nothing works; bytes. */
const space = { little: 5 * 2 ** 30, none: 256 * 2 ** 20 }
/** A durable write that takes longer than this makes every push slow; milliseconds. */
const slowSync = 200
/** File systems over a network, by the number that the system gives them: NFS, SMB, CIFS, SMB2. SQLite's locks are not safe there. */
const networkFileSystems = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42])

/** The folders that data goes to: whether they can be written, how much room they have, how fast they are. */
export async function checkData({ data_dir: data, dfs }: Config): Promise<Finding[]> {
  const findings = await checkFolder('data folder', data)
  const { path } = dfs.disk
  if (path !== null && !path.startsWith(join(data, '/')))
    findings.push(...(await checkFolder('blob folder', path)))
  return findings
}

async function checkFolder(check: string, folder: string): Promise<Finding[]> {
  const existing = await nearestExisting(folder)
  const facts = await stat(existing)
  if (!facts.isDirectory()) {
    return [failed(check, `${existing} is a file`, `Move it away, or name another folder.`)]
  }
  try {
    await access(existing, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch {
    const advice = `Give it to this user (chown), or name another folder. This process runs as user ${process.getuid?.() ?? '?'}.`
    return [failed(check, `${existing} cannot be written`, advice)]
  }
  const state =
    existing === folder ? ok(check, `${folder} can be written`) : ok(check, `${folder} will be created`)
  return [
    state,
    ...openToOthers(check, folder, existing, facts.mode),
    ...(await checkSpace(existing)),
    ...(await checkSync(existing)),
  ]
}

/** The folder, or the nearest above it that is there: that is where it would be created. */
async function nearestExisting(folder: string): Promise<string> {
  for (let path = folder; ; path = dirname(path)) {
    const there = await stat(path).then(
      () => true,
      () => false,
    )
    if (there || path === dirname(path)) return path
  }
}

function openToOthers(check: string, folder: string, existing: string, mode: number): Finding[] {
  if (existing !== folder || (mode & 0o002) === 0) return []
  return [warning(check, `every user of this machine may change ${folder}`, `chmod o-w ${folder}`)]
}

async function checkSpace(folder: string): Promise<Finding[]> {
  const { bavail, bsize, type } = await statfs(folder)
  const free = bavail * bsize
  const findings: Finding[] = []
  if (free < space.none)
    findings.push(failed('space', `${formatBytes(free)} are free`, 'Make room, or use another disk.'))
  else if (free < space.little)
    findings.push(warning('space', `${formatBytes(free)} are free`, 'Make room before large images come.'))
  else findings.push(ok('space', `${formatBytes(free)} are free`))
  if (networkFileSystems.has(type)) {
    const advice = 'Keep data_dir on a local disk; blobs alone may lie elsewhere (dfs.disk.path).'
    findings.push(
      warning('file system', `${folder} is on a network, where locks of SQLite are not safe`, advice),
    )
  }
  return findings
}

/** Writes a little, syncs it and its folder as a push does, and removes it. */
async function checkSync(folder: string): Promise<Finding[]> {
  const probe = join(folder, `.openregistry-doctor-${randomUUID()}`)
  const started = performance.now()
  try {
    const file = await open(probe, 'wx', 0o600)
    try {
      await file.write(Buffer.alloc(64 * 1024, 1))
      await file.datasync()
    } finally {
      await file.close()
    }
    await using parent = await open(folder, 'r')
    await parent.sync()
  } catch (error) {
    return [
      failed(
        'disk',
        `a write to ${folder} failed: ${(error as Error).message}`,
        'See the log of the system.',
      ),
    ]
  } finally {
    await rm(probe, { force: true })
  }
  const took = performance.now() - started
  const message = `a durable write takes ${took.toFixed(took < 10 ? 1 : 0)} ms`
  if (took <= slowSync) return [ok('disk', message)]
  return [warning('disk', message, 'Every push waits for a few of these: a local SSD is much faster.')]
}
