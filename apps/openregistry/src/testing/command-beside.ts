import { afterAll, beforeAll, expect } from 'vitest'
import { runCommand, type Ended, type RunOptions } from './run-command.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** A server of a test file, and the command beside it. */
export interface CommandBeside<Server> {
  server(): Server
  /** How a command is run in an empty folder, on the server. */
  options(): RunOptions
  run(...args: string[]): Promise<Ended>
  /** What a command says with `--json`; it succeeds and complains of nothing. */
  json<T = unknown>(...args: string[]): Promise<T>
}

/**
 * A server for all tests of a file, and the command, which talks to it.
 * @param start starts it; the folder is that of the commands.
 */
export function commandBeside<Server extends AsyncDisposable & { readonly server: string }>(
  start: (folder: string) => Promise<Server>,
): CommandBeside<Server> {
  const opened = new AsyncDisposableStack()
  let server: Server
  let folder: string
  beforeAll(async () => {
    folder = opened.use(await temporaryFolder()).path
    server = opened.use(await start(folder))
  })
  afterAll(() => opened.disposeAsync())
  const options = () => ({ cwd: folder, env: { OPEN_REGISTRY_SERVER: server.server } })
  const run = (...args: string[]) => runCommand(args, options())
  const json = async <T>(...args: string[]): Promise<T> => {
    const { code, stdout, stderr } = await run(...args, '--json')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    return JSON.parse(stdout) as T
  }
  return { server: () => server, options, run, json }
}
