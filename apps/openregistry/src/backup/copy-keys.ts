import { open, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Config } from '@openregistry/server/config'

/**
 * Copies the keys file where it lies in the data folder, so that a registry that starts from the copy has the same names.
 * One that lies elsewhere is kept by whoever put it there.
 */
export async function copyKeys({ data_dir: data, keys }: Config, target: string): Promise<void> {
  const name = 'keys.json'
  if (resolve(keys.file) !== resolve(data, name)) return
  let text: string
  try {
    text = await readFile(keys.file, 'utf8')
  } catch (error) {
    // A registry that shows nothing to IPFS has none.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  await using file = await open(join(target, name), 'wx', 0o600)
  await file.writeFile(text)
  await file.sync()
}
