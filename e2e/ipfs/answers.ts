import { randomBytes } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { cidParts, dagPbCodec, formatCid, rawCid, rawCodec, type Cid } from '@openregistry/dag'
import type { HttpClient, HttpResponse, MultiPlatformImage } from '@openregistry/testkit'
import { expect } from 'vitest'
import type { ImageBlocks } from './image-blocks.ts'
import type { Probe } from './surfaces.ts'

/** Who asks, and about which image. */
export interface Asked {
  http: HttpClient
  image: MultiPlatformImage
}

/** Every CID by which anything of an image can be asked for, under both codecs that a block may be taken for. */
export function cidsOf({ all, digests, layout, repository }: ImageBlocks): Cid[] {
  const hashes = new Map([...all, ...digests, layout, repository].map((cid) => [hashOf(cid), cid]))
  return [...hashes.values()].flatMap((cid) =>
    [rawCodec, dagPbCodec].map((codec) => formatCid({ ...cidParts(cid), codec })),
  )
}

/** The hash of a block, whatever it is taken for. */
export function hashOf(cid: Cid): string {
  return Buffer.from(cidParts(cid).digest).toString('hex')
}

/** Expects that a probe answers to each CID as to one that nobody has. */
export async function expectUnknown(asked: Asked, probe: Probe, cids: readonly Cid[]): Promise<void> {
  const unknown = new Map<number, object>()
  for (const codec of [rawCodec, dagPbCodec]) unknown.set(codec, await nobodys(asked, probe, codec))
  for (const cid of cids) {
    expect(visible(await ask(asked, probe, cid), cid), cid).toEqual(unknown.get(cidParts(cid).codec))
  }
}

/** Expects that a probe answers to one CID at least otherwise: one that never does could not find a leak. */
export async function expectKnown(asked: Asked, probe: Probe, cids: readonly Cid[]): Promise<void> {
  for (const cid of cids) {
    const { codec } = cidParts(cid)
    const answer = visible(await ask(asked, probe, cid), cid)
    if (!isDeepStrictEqual(answer, await nobodys(asked, probe, codec))) return
  }
  expect.fail(`${probe.name} shows nothing of a public image.`)
}

/** Asks one way for a CID, or for a name. */
export function ask(
  { http, image: { images } }: Asked,
  { request }: Probe,
  cid: string,
): Promise<HttpResponse> {
  const [image] = images
  return http.send(request(cid, { manifest: image!.manifest.digest, blob: image!.blobs[1]!.digest }))
}

/** An answer with what differs anyway left out. */
export function visible({ status, headers, body }: HttpResponse, cid: string): object {
  const shown = [...headers].filter(([name]) => name !== 'date' && name !== 'x-request-id')
  return { status, headers: shown, body: body.toString().replaceAll(cid, '<cid>') }
}

/** The answer to a CID of this codec that nobody has. */
async function nobodys(asked: Asked, probe: Probe, codec: number): Promise<object> {
  const cid = formatCid({ ...cidParts(rawCid(randomBytes(32))), codec })
  return visible(await ask(asked, probe, cid), cid)
}
