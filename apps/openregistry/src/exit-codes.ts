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
