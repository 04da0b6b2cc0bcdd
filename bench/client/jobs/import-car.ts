import { get, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { callKubo } from '../kubo-api.ts'
import type { ClientResult } from '../in-parallel.ts'
import type { ReadyJob } from './job.ts'

/** Passes a CAR of a gateway on to a node of Kubo, which imports and pins it. */
export interface ImportCarJob {
  kind: 'import-car'
  /** Of the CAR, on the server that is measured. */
  path: string
  /** CID of its root. */
  root: string
  /** Port of the API of the node. */
  api: number
}

/** Nothing is to be prepared. */
export function prepareImportCar(port: number, { path, root, api }: ImportCarJob): ReadyJob {
  return async (): Promise<ClientResult> => {
    const start = performance.now()
    const [car] = (await once(get({ host: '127.0.0.1', port, path }), 'response')) as [IncomingMessage]
    if (car.statusCode !== 200) throw new Error(`GET ${path} was answered with ${car.statusCode}`)
    const answer = await callKubo(api, 'dag/import?pin-roots=true', [{ name: 'car', pieces: piecesOf(car) }])
    const pinned = JSON.parse(answer.trim().split('\n')[0] ?? '') as {
      Root?: { Cid: { '/': string }; PinErrorMsg: string }
    }
    if (pinned.Root?.Cid['/'] !== root || pinned.Root.PinErrorMsg !== '')
      throw new Error(`it was not imported: ${answer}`)
    const seconds = (performance.now() - start) / 1000
    return { seconds, operations: 1, p50: seconds * 1000, p99: seconds * 1000 }
  }
}

async function* piecesOf(car: IncomingMessage): AsyncGenerator<readonly Buffer[]> {
  for await (const bytes of car as AsyncIterable<Buffer>) yield [bytes]
}
