import { mediaTypes, parseImageReference, parseTag } from '@openregistry/oci'
import type { InspectedDescriptor, InspectedManifest } from '@openregistry/sdk'
import { formatBytes } from '../terminal/amounts.ts'
import { print, printJson } from '../terminal/print.ts'
import { table, type Column } from '../terminal/table.ts'
import type { ClientOptions } from './client-options.ts'
import { kindOf } from './list.ts'
import { openClient } from './open-client.ts'

/** `openregistry inspect`: what an image is made of, and where every part is. */
export async function inspect(image: string, options: ClientOptions): Promise<void> {
  const { registry, repository, tag, digest } = parseImageReference(image)
  const client = await openClient(options, registry)
  const inspected = await client.api.inspect(repository, digest ?? tag ?? parseTag('latest'))
  if (options.json) return printJson(inspected)
  print(summary(inspected))
  const parts = partsOf(inspected)
  if (parts.length > 0) print(`\n${table(columns, parts)}`)
}

function summary(image: InspectedManifest): string {
  const facts: [string, string | null][] = [
    ['image', `${image.repository}${image.reference.includes(':') ? '@' : ':'}${image.reference}`],
    ['digest', image.digest],
    ['cid', image.cid],
    ['kind', isArtifact(image.artifactType) ? `artifact ${image.artifactType}` : kindOf(image.mediaType)],
    ['media type', image.mediaType],
    ['manifest', `${formatBytes(image.size)}, ${image.location}`],
    ['content', contentOf(image)],
    ['subject', image.subject],
    ...Object.entries(image.annotations ?? {}).map(([key, value]): [string, string] => [key, value]),
  ]
  const shown = facts.filter((fact): fact is [string, string] => fact[1] !== null)
  const width = Math.max(...shown.map(([name]) => name.length))
  return shown.map(([name, value]) => `${name.padEnd(width)}  ${value.replaceAll('\n', ' ')}`).join('\n')
}

/** What a pull transfers, as far as this manifest tells. */
function contentOf({ layers, config }: InspectedManifest): string | null {
  if (layers.length === 0) return null
  const bytes = layers.reduce((sum, { size }) => sum + size, config?.size ?? 0)
  return formatBytes(bytes)
}

type Part = InspectedDescriptor & { role: string }

function partsOf({ config, layers, manifests }: InspectedManifest): Part[] {
  return [
    ...(config === null ? [] : [{ ...config, role: 'config' }]),
    ...layers.map((layer) => ({ ...layer, role: 'layer' })),
    ...manifests.map((manifest) => ({ ...manifest, role: platformOf(manifest) ?? 'manifest' })),
  ]
}

function platformOf({ platform }: InspectedDescriptor): string | null {
  if (platform === undefined) return null
  const { os, architecture, variant } = platform
  return [os, architecture, variant].filter((part) => part !== undefined && part !== '').join('/') || null
}

const columns: Column<Part>[] = [
  { title: 'PART', value: ({ role }) => role },
  { title: 'SIZE', value: ({ size }) => formatBytes(size), align: 'right' },
  { title: 'LOCATION', value: locationOf },
  { title: 'DIGEST', value: ({ digest }) => digest },
  { title: 'CID', value: ({ cid }) => cid ?? '' },
]

/** Every place with good bytes, the one first that is read. */
function locationOf({ location, places }: Part): string {
  if (location === null) return 'not here'
  const others = places.filter(({ backend, state }) => state === 'good' && backend !== location)
  return [location, ...others.map(({ backend }) => backend)].join(', ')
}

/** An image shows the type of its config where an artifact shows its own ("Listing Referrers"). */
function isArtifact(type: string | null): boolean {
  return type !== null && type !== mediaTypes.ociConfig && type !== mediaTypes.dockerConfig
}
