import { KuboNode } from '@openregistry/testkit'

/** A Kubo node that asks nobody but this router who has something, and so gets everything from whom that names. */
export function startKuboOf(router: string): Promise<KuboNode> {
  return KuboNode.start({
    config: {
      'Routing.Type': 'delegated',
      'Routing.DelegatedRouters': [router],
      HTTPRetrieval: { Enabled: true, TLSInsecureSkipVerify: true },
    },
  })
}

/** Milliseconds after which Kubo gives up; without it, it would look for ever for what nobody has. */
const patience = '120s'

/** Has Kubo fetch everything under a CID and keep it. @throws Error with Kubo's words. */
export async function pin(kubo: KuboNode, cid: string, timeout = patience): Promise<void> {
  const answer = JSON.parse(await kubo.call('pin/add', { arg: cid, timeout })) as { Pins: string[] }
  if (answer.Pins[0] !== cid) throw new Error(`Kubo pinned ${answer.Pins.join()} instead of ${cid}.`)
}

/** The bytes of a file, of what Kubo has itself. */
export async function readOffline(kubo: KuboNode, cid: string): Promise<Buffer> {
  const query = new URLSearchParams({ arg: cid, offline: 'true', timeout: patience })
  const answer = await fetch(`${kubo.apiUrl}/api/v0/cat?${query.toString()}`, { method: 'POST' })
  if (!answer.ok) throw new Error(`cat: ${answer.status} ${await answer.text()}`)
  return Buffer.from(await answer.arrayBuffer())
}

/**
 * Gives Kubo a CAR.
 * @returns the roots that it pinned, with what was wrong with each.
 */
export async function importCar(
  kubo: KuboNode,
  car: Uint8Array<ArrayBuffer>,
): Promise<Record<string, string>> {
  const form = new FormData()
  form.set('file', new Blob([car]), 'a.car')
  const answer = await fetch(`${kubo.apiUrl}/api/v0/dag/import?pin-roots=true`, {
    method: 'POST',
    body: form,
  })
  const lines = (await answer.text()).trim().split('\n')
  const roots: Record<string, string> = {}
  for (const line of lines) {
    const { Root } = JSON.parse(line) as { Root?: { Cid: { '/': string }; PinErrorMsg: string } }
    if (Root !== undefined) roots[Root.Cid['/']] = Root.PinErrorMsg
  }
  return roots
}
