import { once } from 'node:events'
import { Agent, createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * A balancer without affinity: each request goes to the next server in turn, whatever connection it came on, so that
 * the chunks of one upload land everywhere. It passes everything on as it is and tries nothing again, so what clients
 * see of a server that dies is what they would see with any balancer.
 */
export class Balancer implements AsyncDisposable {
  // It passes on what servers say of their own connections, so it may not be quicker to close an idle one.
  readonly #server = createServer({
    requestTimeout: 0,
    maxHeaderSize: 1024 * 1024,
    keepAliveTimeout: 600_000,
  })
  readonly #agent = new Agent({ keepAlive: true })
  readonly #targets: URL[]
  #turn = 0

  private constructor(targets: readonly string[]) {
    this.#targets = targets.map((target) => new URL(target))
    this.#server.on('request', (request, response) => this.#pass(request, response))
    this.#server.on('checkContinue', (request, response) => this.#pass(request, response))
    this.#server.on('checkExpectation', (request, response) => this.#pass(request, response))
  }

  /** @param targets origins of servers, for example `http://127.0.0.1:40613`. */
  static async start(targets: readonly string[]): Promise<Balancer> {
    const balancer = new Balancer(targets)
    balancer.#server.listen(0, '127.0.0.1')
    await once(balancer.#server, 'listening')
    return balancer
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Takes a server out of the turn, or puts it back. */
  use(targets: readonly string[]): void {
    this.#targets.splice(0, Infinity, ...targets.map((target) => new URL(target)))
  }

  #pass(request: IncomingMessage, response: ServerResponse): void {
    const target = this.#targets[this.#turn++ % this.#targets.length]
    if (target === undefined) return void response.writeHead(503).end()
    const onward = send({
      agent: this.#agent,
      host: target.hostname,
      port: target.port,
      method: request.method,
      path: request.url,
      headers: request.rawHeaders,
      setHost: false,
    })
    onward.on('continue', () => response.writeContinue())
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, answer.rawHeaders)
      // An answer that breaks off must not look whole to the client.
      answer.on('error', () => response.destroy())
      answer.pipe(response)
    })
    onward.on('error', () => {
      if (response.headersSent) response.destroy()
      else if (!response.destroyed)
        response.writeHead(502, { 'Content-Length': 0, Connection: 'close' }).end()
    })
    response.on('close', () => {
      if (!response.writableFinished) onward.destroy()
    })
    request.on('error', () => onward.destroy())
    request.pipe(onward)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    this.#agent.destroy()
    await closed
  }
}
