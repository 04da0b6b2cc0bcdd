import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import type { TestContext } from 'vitest'

const installer = join(import.meta.dirname, '../../../../tools/peers/install.sh')

/** A program that tests of IPFS need. */
export type IpfsPeer = 'kubo' | 'ipfs-cluster'

const found = new Map<IpfsPeer, string | null>()

/** Where a program is, or null: `KUBO_BIN`, `IPFS_CLUSTER_BIN`, else what `tools/peers/install.sh` has built. */
export function findIpfsPeer(name: IpfsPeer): string | null {
  const known = found.get(name)
  if (known !== undefined) return known
  const path = process.env[`${name.toUpperCase().replaceAll('-', '_')}_BIN`] || built(name)
  found.set(name, path)
  return path
}

/** Skips a test where a program is missing, with the reason that the runner counts. */
export function requireIpfsPeer(context: TestContext, name: IpfsPeer): void {
  if (findIpfsPeer(name) === null) context.skip(`missing peer: ${name} (tools/peers/install.sh ${name})`)
}

/** The path of a program. @throws Error when it is missing: tests that get here have not been skipped. */
export function ipfsPeerPath(name: IpfsPeer): string {
  const path = findIpfsPeer(name)
  if (path === null) throw new Error(`${name} is not installed: tools/peers/install.sh ${name}`)
  return path
}

function built(name: IpfsPeer): string | null {
  const line = execFileSync(installer, ['--list', name], { encoding: 'utf8' })
  const [, , state, path] = line.trim().split(/\s+/)
  return state === 'present' && path !== undefined ? path : null
}
