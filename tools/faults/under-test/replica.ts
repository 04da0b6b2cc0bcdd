import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { HttpClient } from '@openregistry/testkit'
import type { Message, Request } from './messages.ts'
import type { ProcessOptions, RegistryProcess } from './registry-process.ts'

const entry = fileURLToPath(new URL('entry.ts', import.meta.url))

/** Sources are compiled once for all processes of all runs. */
const compileCache = fileURLToPath(new URL('../../../node_modules/.cache/node', import.meta.url))

interface Running {
  child: ChildProcess
  client: HttpClient
  /** Resolves when the process is gone. */
  gone: Promise<void>
  answers: Map<number, PromiseWithResolvers<unknown>>
}

/** One registry process, which can be killed, trapped and started again. */
export class Replica implements RegistryProcess {
  readonly name: string
  /** The most memory that any of its processes had, in bytes. */
  peakMemory = 0
  /** Called at the place of a trap that closed. */
  onTrapped: (point: string) => void = () => undefined
  readonly #options: ProcessOptions
  #running: Running | null = null
  #mayDie = false
  #lastId = 0

  constructor(options: ProcessOptions) {
    this.name = options.name
    this.#options = options
  }

  get isUp(): boolean {
    return this.#running !== null
  }

  client(): HttpClient {
    if (this.#running === null) throw new Error(`${this.name} does not run.`)
    return this.#running.client
  }

  /** Starts the process and waits until it serves. @throws Error when it ends before. */
  async start(): Promise<void> {
    const { env, cwd, log, report, name } = this.#options
    const output = openSync(log, 'a')
    const child = spawn(process.execPath, [entry], {
      cwd,
      stdio: ['ignore', output, output, 'ipc'],
      env: { NODE_COMPILE_CACHE: compileCache, ...process.env, ...env },
    })
    closeSync(output)
    const { promise: gone, resolve: ended } = Promise.withResolvers<void>()
    this.#mayDie = false
    child.once('exit', (code, signal) => {
      this.#measure()
      const running = this.#running
      this.#running = null
      running?.client[Symbol.dispose]()
      for (const { reject } of running?.answers.values() ?? []) reject(new Error(`${name} is gone.`))
      report.log(`${name} ended: ${code ?? signal}`)
      if (!this.#mayDie) report.violation(`${name} ended by itself: ${code ?? signal}; see ${log}`)
      ended()
    })
    const origin = await this.#ready(child, gone)
    this.#running = { child, client: new HttpClient(origin), gone, answers: new Map() }
    report.log(`${name} serves at ${origin} (process ${child.pid})`)
  }

  #ready(child: ChildProcess, gone: Promise<void>): Promise<string> {
    return new Promise((resolve, reject) => {
      child.on('message', (message: Message) => {
        if (message.tell === 'ready') resolve(message.origin)
        else if (message.tell === 'trapped') this.#trapped(message.point)
        else this.#answered(message)
      })
      void gone.then(() => reject(new Error(`${this.name} did not start; its log is ${this.#options.log}.`)))
    })
  }

  #trapped(point: string): void {
    this.#options.report.log(`${this.name} is trapped at ${point}`)
    this.onTrapped(point)
  }

  #answered({ id, value, error }: Message & { tell: 'answer' }): void {
    const waiting = this.#running?.answers.get(id)
    this.#running?.answers.delete(id)
    if (error === undefined) waiting?.resolve(value)
    else waiting?.reject(new Error(error))
  }

  /** Asks the process for something. @throws Error what it answers, or that it is gone. */
  ask(request: Request): Promise<unknown> {
    if (this.#running === null) return Promise.reject(new Error(`${this.name} does not run.`))
    const id = ++this.#lastId
    const waiting = Promise.withResolvers<unknown>()
    this.#running.answers.set(id, waiting)
    if (request.ask === 'trap' && request.trap.action.kind === 'kill') this.#mayDie = true
    this.#running.child.send({ ...request, id }, () => undefined)
    return waiting.promise
  }

  /** Resolves when the process is gone, also when it is not there. */
  get gone(): Promise<void> {
    return this.#running?.gone ?? Promise.resolve()
  }

  /** Ends it without any chance to tidy up. */
  async kill(): Promise<void> {
    const running = this.#running
    if (running === null) return
    this.#mayDie = true
    this.#measure()
    running.child.kill('SIGKILL')
    await running.gone
  }

  /** Lets it stand still for so many milliseconds, as a machine that is paused. */
  async pause(milliseconds: number): Promise<void> {
    const child = this.#running?.child
    child?.kill('SIGSTOP')
    await delay(milliseconds)
    child?.kill('SIGCONT')
  }

  /** Ends it politely. */
  async stop(): Promise<void> {
    const running = this.#running
    if (running === null) return
    this.#mayDie = true
    this.#measure()
    running.client[Symbol.dispose]()
    await Promise.race([this.ask({ ask: 'stop' }).catch(() => undefined), running.gone])
    await running.gone
  }

  #measure(): void {
    const pid = this.#running?.child.pid
    if (pid === undefined) return
    try {
      const peak = /^VmHWM:\s*([0-9]+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
      this.peakMemory = Math.max(this.peakMemory, Number(peak ?? 0) * 1024)
    } catch {
      // Gone already, or no such file on this system: nothing to measure.
    }
  }
}
