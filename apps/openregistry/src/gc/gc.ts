import {
  collect,
  type Collection,
  type CollectionPreview,
  type Milliseconds,
  type Ports,
} from '@openregistry/core'
import type { Config } from '@openregistry/server/config'
import { openDataPorts } from '../open-ports.ts'
import { stopSignals } from '../serve/stop-signals.ts'
import { formatBytes, formatCount } from '../terminal/amounts.ts'
import { print, printJson, say } from '../terminal/print.ts'
import { table } from '../terminal/table.ts'
import { CommandError } from '../exit-codes.ts'
import { CollectionProgress } from './progress.ts'
import { purge } from './purge.ts'

/** What the command line says. */
export interface GcCommand {
  dryRun?: boolean
  /** In place of `gc.grace`. */
  grace?: Milliseconds
  purge?: string
  yes?: boolean
  json?: boolean
}

/** Repositories that a dry run lists. */
const listedAtMost = 100

/**
 * `openregistry gc`: collects what nobody needs any more, beside servers if need be.
 * @throws CommandError when it was stopped, RegistryError.
 */
export async function gc(config: Config, command: GcCommand): Promise<void> {
  await using opened = new AsyncDisposableStack()
  const ports = await openDataPorts(config, opened)
  if (command.purge !== undefined) return await purge(ports, command.purge, command)
  const grace = command.grace ?? config.gc.grace
  if (command.dryRun === true) return await preview(ports, grace, command.json === true)
  await run(ports, grace, command.json === true)
}

async function preview({ metadata }: Ports, grace: Milliseconds, json: boolean): Promise<void> {
  const found = await metadata.previewCollection(grace, listedAtMost)
  if (json) return printJson(found)
  const { content, more, repositories, blobs, bytes, following, pendingDeletes } = found
  if (content.length + repositories + blobs + pendingDeletes === 0) return say('There is nothing to collect.')
  if (content.length > 0) print(listed(content))
  if (more) say(`and more; these are the ${listedAtMost} largest.`)
  say(`${formatCount(blobs, 'blob')} would go, and ${formatBytes(bytes)} come back. Nothing was changed.`)
  if (following > 0) {
    const belongs = following === 1 ? 'manifest that belongs' : 'manifests that belong'
    say(`${following} ${belongs} to these would be deleted with them, and can be restored for gc.grace.`)
  }
  if (pendingDeletes > 0)
    say(`${formatCount(pendingDeletes, 'object')} of earlier collections would be deleted.`)
}

function listed(content: CollectionPreview['content']): string {
  return table(
    [
      { title: 'REPOSITORY', value: ({ repository }) => repository },
      { title: 'REASON', value: ({ reason }) => reason },
      { title: 'MANIFESTS', value: ({ manifests }) => String(manifests), align: 'right' },
      { title: 'BLOBS', value: ({ links }) => String(links), align: 'right' },
      { title: 'SIZE', value: ({ bytes }) => formatBytes(bytes), align: 'right' },
    ],
    content,
  )
}

async function run(ports: Ports, grace: Milliseconds, json: boolean): Promise<void> {
  using signals = stopSignals()
  const stopping = new AbortController()
  void signals.first.then(() => stopping.abort())
  signals.onSecond(() => process.exit(1))
  const progress = new CollectionProgress(process.stderr)
  const done = await collect(ports, stopping.signal, {
    grace,
    progress: (soFar) => progress.show(soFar),
  }).finally(() => progress.end())
  if (json) printJson({ ...done, complete: !stopping.signal.aborted })
  else say(summaryOf(done))
  if (stopping.signal.aborted) {
    throw new CommandError(
      'stopped before everything was collected; what was done is done. Run it again to go on.',
    )
  }
}

function summaryOf(done: Collection): string {
  const { repositories, manifests, links, blobs, bytes, objects } = done
  if (repositories + manifests + links + blobs + objects === 0) return 'There is nothing to collect.'
  const parts = [
    formatCount(manifests, 'manifest'),
    formatCount(links, 'link'),
    ...(repositories > 0
      ? [`${repositories} deleted ${repositories === 1 ? 'repository' : 'repositories'}`]
      : []),
    formatCount(objects, 'object'),
  ]
  return `${formatCount(blobs, 'blob')} collected, ${formatBytes(bytes)} came back (${parts.join(', ')}).`
}
