/** How the command ends. Scripts rely on these numbers: docs/commands.md lists them. */
export const exitCodes = {
  ok: 0,
  /** What was asked for did not happen. */
  failure: 1,
  /** The command line or the configuration is wrong; nothing was tried. */
  usage: 2,
} as const

/** A way to end. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** What a command says when it gives up: what happened, why, and what to do next. */
export class CommandError extends Error {
  readonly exitCode: ExitCode

  constructor(message: string, options: { exitCode?: ExitCode; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'CommandError'
    this.exitCode = options.exitCode ?? exitCodes.failure
  }
}

/** An error whose text is ready to be printed: another process of ours gave it. */
export class ExplainedError extends Error {
  readonly exitCode: ExitCode

  constructor(message: string, exitCode: ExitCode) {
    super(message)
    this.name = 'ExplainedError'
    this.exitCode = exitCode
  }
}
