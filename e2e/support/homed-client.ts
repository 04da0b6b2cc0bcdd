import { cleanEnvironment } from './environment.ts'
import { peerPath, type PeerName } from './peers.ts'
import { Program } from './program.ts'
import type { Scratch } from './scratch.ts'

/** A client whose only configuration is in its home folder: one that is its own, and its working folder. */
export function homedClient(name: PeerName, scratch: Scratch, extra: Record<string, string> = {}): Program {
  const home = scratch.folder(`${name}-home`)
  return new Program(peerPath(name), { env: cleanEnvironment(home, extra), cwd: home })
}
