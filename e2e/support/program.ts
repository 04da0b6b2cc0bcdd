import { attempt, run, type RunOptions, type RunResult } from './run.ts'

/** A program with the environment and the folder that it is always called in. */
export class Program {
  readonly path: string
  readonly #options: RunOptions
  readonly #first: readonly string[]

  /** @param first arguments that every call begins with */
  constructor(path: string, options: RunOptions, first: readonly string[] = []) {
    this.path = path
    this.#options = options
    this.#first = first
  }

  /** The same program with other options. */
  with(options: Partial<RunOptions>): Program {
    const env = { ...this.#options.env, ...options.env }
    return new Program(this.path, { ...this.#options, ...options, env }, this.#first)
  }

  /** Another program, called like this one. */
  as(path: string, ...first: string[]): Program {
    return new Program(path, this.#options, first)
  }

  /** Calls it; returns what it prints. @throws Error with its output when it fails. */
  run(...args: string[]): Promise<string> {
    return run(this.path, [...this.#first, ...args], this.#options)
  }

  /** Calls it with something to read. @throws Error with its output when it fails. */
  feed(input: string | Buffer, ...args: string[]): Promise<string> {
    return run(this.path, [...this.#first, ...args], { ...this.#options, input })
  }

  /** Calls it, whatever comes of it. */
  attempt(...args: string[]): Promise<RunResult> {
    return attempt(this.path, [...this.#first, ...args], this.#options)
  }
}
