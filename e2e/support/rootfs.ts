import {
  copyFileSync,
  existsSync,
  openSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
  writeSync,
  closeSync,
} from 'node:fs'
import { randomFillSync } from 'node:crypto'
import { join } from 'node:path'
import { cleanEnvironment } from './environment.ts'
import { peerPath } from './peers.ts'
import { run } from './run.ts'
import type { Scratch } from './scratch.ts'

/** What the images of the tests print when they are run. */
export const greeting = 'hello from openregistry'

/** The command that images of {@link makeRootfs} are given. */
export const greet = ['/bin/cat', '/etc/greeting']

const applets = ['sh', 'cat', 'echo', 'ls', 'sha256sum', 'sleep']

/**
 * The file system of a small real image: Debian's static busybox, a few files of this system, and a greeting.
 *
 * @param words what `/etc/greeting` says; other words make another layer
 * @returns the path of its tar file, the same bytes for the same words
 */
export async function makeRootfs(scratch: Scratch, words = greeting): Promise<string> {
  const name = `rootfs-${Buffer.from(words).toString('hex').slice(-40)}`
  if (existsSync(join(scratch.path, `${name}.tar`))) return join(scratch.path, `${name}.tar`)
  const folder = scratch.folder(name)
  for (const part of ['bin', 'etc']) scratch.folder(join(name, part))
  copyFileSync(peerPath('busybox'), join(folder, 'bin/busybox'))
  for (const applet of applets) symlinkSync('busybox', join(folder, 'bin', applet))
  for (const file of ['debian_version', 'os-release']) {
    writeFileSync(join(folder, 'etc', file), readFileSync(`/etc/${file}`))
  }
  writeFileSync(join(folder, 'etc/greeting'), `${words}\n`)
  return packTar(scratch, folder, `${name}.tar`)
}

/** Packs a folder so that the same files give the same bytes. @returns the path of the tar file. */
export async function packTar(scratch: Scratch, folder: string, name: string): Promise<string> {
  const file = join(scratch.path, name)
  const owner = ['--owner=0', '--group=0', '--numeric-owner', '--sort=name', '--mtime=@0']
  await run('tar', ['-C', folder, ...owner, '-cf', file, '.'], { env: cleanEnvironment(scratch.path) })
  return file
}

const pieceSize = 4 * 1024 * 1024

/** Writes a file that no compression makes smaller: a random piece again and again, each with another number in it. */
export function makeLargeFile(scratch: Scratch, name: string, size: number): string {
  const path = join(scratch.path, name)
  const file = openSync(path, 'w')
  const piece = randomFillSync(Buffer.alloc(pieceSize))
  for (let written = 0; written < size; written += pieceSize) {
    piece.writeBigUInt64BE(BigInt(written))
    writeSync(file, piece, 0, Math.min(pieceSize, size - written))
  }
  closeSync(file)
  return path
}
