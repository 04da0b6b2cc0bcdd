import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { createRegistryClient, type RegistryClient } from '@openregistry/sdk'
import { CommandError, exitCodes } from '../exit-codes.ts'
import type { ClientOptions } from './client-options.ts'

const defaultServer = 'http://127.0.0.1:5000'

/** A mistake in what a command was given. */
function usage(message: string): CommandError {
  return new CommandError(message, { exitCode: exitCodes.usage })
}

/**
 * The registry that a command means, with the credentials it was given.
 * @param registry the host that an image was written with, if any
 * @throws CommandError when options contradict each other.
 */
export async function openClient(
  options: ClientOptions,
  registry: string | null = null,
): Promise<RegistryClient> {
  const server = serverOf(options, registry)
  return createRegistryClient({ server, credentials: await credentialsOf(options) })
}

function serverOf({ server: named }: ClientOptions, registry: string | null): string {
  const fromImage = registry === null ? null : addressOf(registry)
  if (fromImage === null) return addressOf(named ?? (process.env['OPEN_REGISTRY_SERVER'] || defaultServer))
  if (named !== undefined && new URL(addressOf(named)).host !== new URL(fromImage).host) {
    throw usage(`The image names the registry ${registry}, --server another one (${named}); leave one out.`)
  }
  return named === undefined ? fromImage : addressOf(named)
}

/** An address with its scheme: as Docker does, plain HTTP for this machine only. */
function addressOf(text: string): string {
  if (/^https?:\/\//i.test(text)) {
    if (!URL.canParse(text)) throw usage(`${text} is no address; write it like ${defaultServer}.`)
    return text
  }
  const scheme = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/.test(text) ? 'http' : 'https'
  const address = `${scheme}://${text}`
  if (text.includes('://') || !URL.canParse(address))
    throw usage(`${text} is no address; write it like ${defaultServer}.`)
  return address
}

async function credentialsOf(
  options: ClientOptions,
): Promise<{ username: string; password: string } | undefined> {
  const username = options.username ?? (process.env['OPEN_REGISTRY_USERNAME'] || undefined)
  const password = await passwordOf(options)
  if (username === undefined && password === undefined) return undefined
  if (username === undefined)
    throw usage('There is a password but no user: add --username or OPEN_REGISTRY_USERNAME.')
  if (password === undefined) {
    throw usage(
      `The password of ${username} is missing: use --password-stdin or OPEN_REGISTRY_PASSWORD_FILE.`,
    )
  }
  return { username, password }
}

async function passwordOf({ passwordStdin }: ClientOptions): Promise<string | undefined> {
  if (passwordStdin) return withoutLineEnd(await text(process.stdin))
  const direct = process.env['OPEN_REGISTRY_PASSWORD'] || undefined
  const file = process.env['OPEN_REGISTRY_PASSWORD_FILE'] || undefined
  if (direct !== undefined && file !== undefined) {
    throw usage('OPEN_REGISTRY_PASSWORD and OPEN_REGISTRY_PASSWORD_FILE are both set; keep one.')
  }
  if (file === undefined) return direct
  try {
    return withoutLineEnd(await readFile(file, 'utf8'))
  } catch (cause) {
    throw usage(`OPEN_REGISTRY_PASSWORD_FILE: ${(cause as Error).message}`)
  }
}

function withoutLineEnd(password: string): string {
  return password.replace(/\r?\n$/, '')
}
