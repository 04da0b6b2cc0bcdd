import { readFile } from 'node:fs/promises'
import { CommandError, exitCodes } from './exit-codes.ts'

/** The form that Kubo has, too; anything else would be a network of one. */
const swarmKeyForm = /^\/key\/swarm\/psk\/1\.0\.0\/\r?\n\/base16\/\r?\n[0-9a-f]{64}\s*$/i

/**
 * The key of a private network; null where the configuration names none.
 * @throws CommandError when it is none; the error of the system when it cannot be read.
 */
export async function readSwarmKey(path: string | null): Promise<Uint8Array | null> {
  if (path === null) return null
  const bytes = await readFile(path)
  if (swarmKeyForm.test(bytes.toString('latin1'))) return bytes
  throw new CommandError(
    `${path} (ipfs.swarm_key_file) is no swarm key: /key/swarm/psk/1.0.0/, /base16/ and 64 hexadecimal digits, on a line each.`,
    { exitCode: exitCodes.usage },
  )
}
