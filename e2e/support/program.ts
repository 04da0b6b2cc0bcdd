import { attempt, run, type RunOptions, type RunResult } from './run.ts'

/** A program with the environment and the folder that it is always called in. */
export class Program {
  readonly path: string
  readonly #options: RunOptions

  constructor(path: string, options: RunOptions) {
    this.path = path
    this.#options = options
  }

  /** The same program with other options. */
  with(options: Partial<RunOptions>): Program {
    const env = { ...this.#options.env, ...options.env }
    return new Program(this.path, { ...this.#options, ...options, env })
  }

  /** Calls it; returns what it prints. @throws Error with its output when it fails. */
  run(...args: string[]): Promise<string> {
    return run(this.path, args, this.#options)
  }

  /** Calls it with something to read. @throws Error with its output when it fails. */
  feed(input: string | Buffer, ...args: string[]): Promise<string> {
    return run(this.path, args, { ...this.#options, input })
  }

  /** Calls it, whatever comes of it. */
  attempt(...args: string[]): Promise<RunResult> {
    return attempt(this.path, args, this.#options)
  }
}
