import { copyFileSync, existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { cleanEnvironment } from './environment.ts'
import { peerPath } from './peers.ts'
import { packTar } from './rootfs.ts'
import { run } from './run.ts'
import type { Scratch } from './scratch.ts'

/** Programs of a small system: all that the build of the image and the command's start script call. */
const applets =
  'awk cat chown cut dirname env find grep head id ln ls mkdir mv readlink rm sed sh sleep tar touch uname wc'

/**
 * A base image from files of this Debian system, in place of one from a registry: busybox, and the libraries that a
 * program and native modules are linked with. @returns the path of its tar file
 *
 * @param programs files whose libraries are taken
 */
export async function makeDebianBase(scratch: Scratch, programs: readonly string[]): Promise<string> {
  const root = scratch.folder('debian-base')
  for (const folder of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp', 'usr/bin']) {
    mkdirSync(join(root, folder), { recursive: true })
  }
  copyFileSync(peerPath('busybox'), join(root, 'bin/busybox'))
  for (const applet of applets.split(' ')) symlinkSync('busybox', join(root, 'bin', applet))
  for (const file of ['debian_version', 'os-release', 'passwd', 'group']) {
    copyFileSync(join('/etc', file), join(root, 'etc', file))
  }
  const env = cleanEnvironment(scratch.path)
  for (const program of programs) {
    for (const library of librariesOf(await run('ldd', [program], { env }))) take(library, root)
  }
  return packTar(scratch, root, 'debian-base.tar')
}

/** Absolute paths in what `ldd` prints: libraries, and the loader. */
function librariesOf(printed: string): string[] {
  return [...printed.matchAll(/(?:^|\s)(\/\S+)/gm)].map((match) => match[1] ?? '')
}

/** Copies a file to the same path below another root. */
function take(file: string, root: string): void {
  const target = join(root, file)
  if (existsSync(target)) return
  mkdirSync(dirname(target), { recursive: true })
  copyFileSync(file, target)
}

/** The native modules of a folder of packages (`*.node`). */
export function nativeModules(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => basename(name).endsWith('.node'))
    .map((name) => join(folder, name))
}
