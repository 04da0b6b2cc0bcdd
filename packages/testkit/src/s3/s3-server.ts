import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { identityName } from '@openregistry/core'
import { freePort } from '../free-port.ts'
import { findVersitygw } from './find-versitygw.ts'

const startLimit = 30_000
const pollInterval = 20

/** What a client of a server needs, by the names of `dfs.s3`. */
export interface S3Access {
  endpoint: string
  bucket: string
  accessKey: string
  secretKey: string
}

/**
 * A real S3 server of its own (versitygw), in a temporary folder and on a free port of 127.0.0.1. `await using` ends it.
 * Objects are files below {@link folder}, so a test can look at them, damage them and lose them.
 */
export class S3Server implements AsyncDisposable {
  readonly endpoint: string
  readonly accessKey = `access-${randomBytes(6).toString('hex')}`
  readonly secretKey = `secret-${randomBytes(12).toString('hex')}`
  /** Has one folder for each bucket. */
  readonly folder: string
  readonly #program: string
  readonly #root: string
  readonly #port: number
  #server: ChildProcess | null = null
  #buckets = 0

  private constructor(program: string, root: string, port: number) {
    this.#program = program
    this.#root = root
    this.#port = port
    this.folder = join(root, 'buckets')
    this.endpoint = `http://127.0.0.1:${port}`
  }

  /**
   * Starts a server.
   * @throws Error when versitygw is not installed; see `requireVersitygw`.
   */
  static async start(): Promise<S3Server> {
    const program = findVersitygw()
    if (program === null) throw new Error('versitygw is not installed.')
    const root = await mkdtemp(join(tmpdir(), 'openregistry-s3-'))
    try {
      const server = new S3Server(program, root, await freePort())
      // The metadata beside the objects, since not every file system of temporary files has extended attributes.
      await Promise.all([mkdir(server.folder), mkdir(join(root, 'metadata'))])
      await server.start()
      return server
    } catch (error) {
      await rm(root, { recursive: true, force: true })
      throw error
    }
  }

  /** Starts it again after {@link stop}, at the same address; resolves once it answers. */
  async start(): Promise<void> {
    const { accessKey, secretKey, folder } = this
    const words = ['--port', `127.0.0.1:${this.#port}`, '--keep-alive', '--quiet']
    const server = spawn(
      this.#program,
      [...words, 'posix', '--sidecar', join(this.#root, 'metadata'), folder],
      {
        env: { ROOT_ACCESS_KEY_ID: accessKey, ROOT_SECRET_ACCESS_KEY: secretKey, HOME: this.#root },
        cwd: this.#root,
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    this.#server = server
    await untilAnswers(server, this.endpoint)
  }

  /** Ends the server, `SIGKILL` as a crash does. What it holds stays. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const server = this.#server
    this.#server = null
    if (server === null || server.exitCode !== null || server.signalCode !== null) return
    const ended = once(server, 'exit')
    server.kill(signal)
    await ended
  }

  /** Makes an empty bucket, with a name of its own unless one is given, and says how to reach it. */
  async createBucket(bucket = `bucket-${++this.#buckets}`): Promise<S3Access> {
    await mkdir(join(this.folder, bucket))
    const { endpoint, accessKey, secretKey } = this
    return { endpoint, bucket, accessKey, secretKey }
  }

  /** Names of all objects in a bucket that hold blobs. */
  async objects(bucket: string): Promise<string[]> {
    const entries = await readdir(join(this.folder, bucket), { recursive: true, withFileTypes: true })
    const files = entries.filter((entry) => entry.isFile())
    const names = files.map(({ parentPath, name }) =>
      relative(join(this.folder, bucket), join(parentPath, name)),
    )
    // Neither what tells whose they are, nor where the server keeps uploads that are not complete.
    return names.filter((name) => !name.endsWith(identityName) && !name.startsWith('.sgwtmp')).toSorted()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGKILL')
    await rm(this.#root, { recursive: true, force: true })
  }
}

async function untilAnswers(server: ChildProcess, url: string): Promise<void> {
  let log = ''
  for (const output of [server.stdout, server.stderr]) {
    output?.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-16_384)))
  }
  const deadline = performance.now() + startLimit
  while (!(await answers(url))) {
    if (server.exitCode !== null || performance.now() > deadline) {
      server.kill('SIGKILL')
      throw new Error(`versitygw did not start:\n${log}`)
    }
    await delay(pollInterval)
  }
}

/** Whether anything answers at all: without credentials it refuses. */
async function answers(url: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const request = get(url, { agent: false, timeout: 5000 }, (response) => {
    response.resume()
    resolve(true)
  })
  request.on('timeout', () => request.destroy())
  request.on('error', () => resolve(false))
  return promise
}
