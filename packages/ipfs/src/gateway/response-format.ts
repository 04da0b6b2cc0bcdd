import { RegistryError } from '@openregistry/oci'
import type { AcceptParameters } from './car-parameters.ts'

/** What content is served as. Everything can be checked by who asked; nothing is a page. */
export type ResponseFormat = 'raw' | 'car'

/** The media type of each format. */
export const mediaTypes = {
  raw: 'application/vnd.ipld.raw',
  car: 'application/vnd.ipld.car',
} as const satisfies Record<ResponseFormat, string>

const formats = Object.keys(mediaTypes) as ResponseFormat[]

/** A format with the parameters that the client gave it. */
export interface ChosenFormat {
  format: ResponseFormat
  parameters: AcceptParameters
}

/**
 * The format that is wanted: `format` of the query (IPIP-523), else the best of the `Accept` header. `*` stands for a page
 * there, which is not served.
 * @throws RegistryError `FORMAT_UNSUPPORTED` when that is none of ours.
 */
export function chooseFormat(query: URLSearchParams, accept: string | undefined): ChosenFormat {
  const accepted = accept === undefined ? [] : acceptedFormats(accept)
  const named = query.get('format')
  if (named !== null) {
    const format = formats.find((known) => known === named)
    if (format === undefined) throw unsupported()
    return { format, parameters: accepted.find((one) => one.format === format)?.parameters ?? new Map() }
  }
  const [best] = accepted
  if (best === undefined) throw unsupported()
  return best
}

function unsupported(): RegistryError {
  const offers = formats.map((format) => `?format=${format} (Accept: ${mediaTypes[format]})`)
  return new RegistryError(
    'FORMAT_UNSUPPORTED',
    `This gateway serves blocks that can be verified, no pages and no files: ask with ${offers.join(' or ')}.`,
  )
}

/** The formats of ours in an `Accept` header (RFC 9110, 12.5.1), the best first, of equals the first. */
function acceptedFormats(header: string): ChosenFormat[] {
  const found: (ChosenFormat & { weight: number })[] = []
  for (const range of header.split(',')) {
    const [type = '', ...rest] = range.split(';').map((part) => part.trim())
    const format = formats.find((known) => mediaTypes[known] === type.toLowerCase())
    if (format === undefined) continue
    const parameters = new Map(rest.map(parameterOf))
    const weight = Number(parameters.get('q') ?? '1')
    if (weight > 0) found.push({ format, parameters, weight })
  }
  return found.toSorted((a, b) => b.weight - a.weight)
}

function parameterOf(text: string): [name: string, value: string] {
  const [name = '', value = ''] = text.split('=', 2)
  return [name.trim().toLowerCase(), value.trim().replace(/^"(.*)"$/, '$1')]
}
