import { deletePending, operator, principalName, type Ports, type PurgeHolder } from '@openregistry/core'
import { parseDigest } from '@openregistry/oci'
import { CommandError } from '../exit-codes.ts'
import { formatBytes, formatCount } from '../terminal/amounts.ts'
import { confirm, print, printJson, say } from '../terminal/print.ts'
import { table } from '../terminal/table.ts'

/** Holders that are listed before somebody says yes. */
const listedAtMost = 100

/** Rows of one step. */
const limit = 200

/**
 * `openregistry gc --purge`: takes content away from every repository at once, with the manifests that need it.
 * @throws CommandError when nobody has it, or nobody confirms; RegistryError `DIGEST_INVALID`.
 */
export async function purge(
  ports: Ports,
  text: string,
  { dryRun = false, yes = false, json = false }: { dryRun?: boolean; yes?: boolean; json?: boolean },
): Promise<void> {
  const digest = parseDigest(text)
  const plan = await ports.metadata.findHolders(digest, listedAtMost)
  if (plan === null) throw new CommandError(`nobody has ${digest} here; there is nothing to purge.`)
  const { size, holders, more } = plan
  if (!json) describe(holders, more)
  if (dryRun) {
    if (json) return printJson({ digest, size, holders, more })
    return say(`${formatBytes(size)} would be purged. Nothing was changed.`)
  }
  const images = holders.filter(({ manifest }) => manifest !== null).length
  const question =
    images === 0
      ? `Purge ${digest} for good?`
      : `Purge ${digest} for good, with ${more ? 'all these images and more' : formatCount(images, 'image')} that need it?`
  await confirm(question, { yes })
  const done = { manifests: 0, links: 0, blobs: 0, bytes: 0, objects: 0 }
  for (let again = true; again;) {
    const step = await ports.metadata.purgeContent(digest, principalName(operator), { limit })
    done.manifests += step.manifests
    done.links += step.links
    done.blobs += step.blobs
    done.bytes += step.bytes
    again = step.more
  }
  done.objects = await deletePending(ports)
  if (json) return printJson({ digest, size, holders, more, ...done })
  say(`${digest} is purged: ${formatBytes(size)}, from ${formatCount(done.links, 'link')}.`)
  say(
    'Copies in backups, in caches of clients, and in other layers are not reached by this. Change the secret.',
  )
}

function describe(holders: readonly PurgeHolder[], more: boolean): void {
  if (holders.length > 0) {
    print(
      table(
        [
          { title: 'REPOSITORY', value: ({ repository }) => repository },
          { title: 'IMAGE THAT NEEDS IT', value: ({ manifest }) => manifest ?? 'none' },
          { title: 'TAGS', value: ({ tags }) => tags.join(', ') },
        ],
        holders,
      ),
    )
  }
  if (more) say(`and more; these are ${listedAtMost} of them.`)
}
