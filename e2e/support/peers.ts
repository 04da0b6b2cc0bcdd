import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import type { TestContext } from 'vitest'
import { executable, findProgram } from './environment.ts'

/** Built by `tools/peers/install.sh`. */
const goPeers = [
  'cosign',
  'crane',
  'distribution',
  'helm',
  'ipfs-cluster',
  'kubo',
  'notation',
  'oras',
  'regctl',
  'versitygw',
] as const

/** From Debian packages (`tools/peers/install.sh --debian`), or wherever else PATH finds them. */
const systemPeers = [
  'buildah',
  'busybox',
  'containerd',
  'ctr',
  'curl',
  'docker',
  'docker-compose',
  'docker-registry',
  'dockerd',
  'haproxy',
  'htpasswd',
  'openssl',
  'podman',
  'skopeo',
  'umoci',
] as const

/** A program of others that the tests drive. */
export type PeerName = (typeof goPeers)[number] | (typeof systemPeers)[number] | 'zot'

const installer = join(import.meta.dirname, '../../tools/peers/install.sh')
const found = new Map<PeerName, string | null>()

/** Where a peer is, or null. `<NAME>_BIN` in the environment names another program than the one that would be found. */
export function findPeer(name: PeerName): string | null {
  const known = found.get(name)
  if (known !== undefined) return known
  const named = process.env[`${name.toUpperCase().replaceAll('-', '_')}_BIN`]
  const path = named ? executable(named) : isGoPeer(name) ? built(name) : findProgram(name)
  found.set(name, path)
  return path
}

/** Whether all of these are here. */
export function havePeers(names: readonly PeerName[]): boolean {
  return names.every((name) => findPeer(name) !== null)
}

/** Skips a test that needs programs this machine lacks, with the reason that the runner counts. */
export function requirePeers(context: TestContext, names: readonly PeerName[]): void {
  for (const name of names) {
    if (findPeer(name) === null) context.skip(`missing peer: ${name} (${howToInstall(name)})`)
  }
}

/** The path of a peer. @throws Error when it is missing: tests that get here have not been skipped. */
export function peerPath(name: PeerName): string {
  const path = findPeer(name)
  if (path === null) throw new Error(`${name} is missing: ${howToInstall(name)}`)
  return path
}

function howToInstall(name: PeerName): string {
  if (name === 'zot') return 'set ZOT_BIN'
  return isGoPeer(name) ? `tools/peers/install.sh ${name}` : 'tools/peers/install.sh --debian'
}

function isGoPeer(name: PeerName): boolean {
  return (goPeers as readonly string[]).includes(name)
}

function built(name: PeerName): string | null {
  const line = execFileSync(installer, ['--list', name], { encoding: 'utf8' })
  const [, , state, path] = line.trim().split(/\s+/)
  return state === 'present' && path !== undefined ? path : null
}
