import { stat } from 'node:fs/promises'
import { silentLogger } from '@openregistry/server/log'
import type { Config } from '@openregistry/server/config'
import { failed, ok, warning, type Finding } from './finding.ts'

/** The keys file, where anything needs one. It is not made here. */
export async function checkKeys({ ipfs, keys: { file } }: Config): Promise<Finding[]> {
  if (!ipfs.gateway) return []
  const { mode } = (await stat(file).catch(() => null)) ?? {}
  if (mode === undefined) return [ok('keys', `${file}: not there yet; the first start makes it`)]
  const { openKeysFile } = await import('@openregistry/server/keys')
  try {
    await openKeysFile(file, silentLogger)
  } catch (error) {
    return [failed('keys', (error as Error).message, 'The registry does not start before that is corrected.')]
  }
  if ((mode & 0o077) === 0) return [ok('keys', file)]
  return [warning('keys', `others on this machine can read ${file}`, `chmod 600 ${file}`)]
}
