import { RegistryError } from '@openregistry/oci'
import { RegistryClientError } from '@openregistry/sdk'
import { ConfigError } from '@openregistry/server/config'
import { CommandError, ExplainedError, exitCodes, type ExitCode } from './exit-codes.ts'

/** What to print about an error, and how to end. */
export function explain(error: unknown): { message: string; exitCode: ExitCode } {
  if (error instanceof ExplainedError) return { message: error.message, exitCode: error.exitCode }
  if (error instanceof CommandError)
    return { message: `openregistry: ${error.message}`, exitCode: error.exitCode }
  if (error instanceof ConfigError) {
    const intro = 'openregistry: the configuration cannot be used:'
    const hint = 'Every key is explained in docs/configuration.md and by "openregistry config print".'
    const lines = error.message.split('\n').map((line) => `  ${line}`)
    return { message: [intro, ...lines, hint].join('\n'), exitCode: exitCodes.usage }
  }
  if (error instanceof RegistryClientError) {
    return { message: `openregistry: ${clientText(error)}`, exitCode: exitCodes.failure }
  }
  if (error instanceof RegistryError && malformed.has(error.code)) {
    return { message: `openregistry: ${error.message}`, exitCode: exitCodes.usage }
  }
  return { message: `openregistry: ${systemText(error) ?? textOf(error)}`, exitCode: exitCodes.failure }
}

/** Codes with which arguments are refused before anything is sent. */
const malformed: ReadonlySet<string> = new Set(['NAME_INVALID', 'TAG_INVALID', 'DIGEST_INVALID'])

/** What a registry said, and what to do about it. */
function clientText({ code, message }: RegistryClientError): string {
  const next: Record<string, string> = {
    UNREACHABLE:
      'Start one with "openregistry serve", or name another with --server or OPEN_REGISTRY_SERVER.',
    UNTRUSTED_CERTIFICATE: 'If you know it, name its authority in NODE_EXTRA_CA_CERTS.',
    UNAUTHORIZED:
      'Give credentials with --username and --password-stdin, or OPEN_REGISTRY_USERNAME and OPEN_REGISTRY_PASSWORD.',
    NAME_UNKNOWN: '"openregistry ls" lists the repositories that you may see.',
    MANIFEST_UNKNOWN: '"openregistry ls <repository>" lists its tags.',
    HTTP_404: 'Is it an OpenRegistry, and of this version? Others have no management API.',
    ROUTE_UNKNOWN: 'Is it an OpenRegistry, and of this version? Others have no management API.',
  }
  const advice = next[code]
  return advice === undefined ? `${message} (${code})` : `${message} (${code})\n${advice}`
}

/** Faults of the operating system that people meet, in words. */
function systemText(error: unknown): string | null {
  const { code, port, address, path } = error as NodeJS.ErrnoException & { port?: number; address?: string }
  switch (code ?? '') {
    case 'EADDRINUSE':
      return [
        `port ${port ?? '?'} on ${address ?? 'this machine'} is taken by another program.`,
        'Stop that one, or choose another port: OPEN_REGISTRY_HTTP_PORT=5001 openregistry serve',
        ...(process.platform === 'darwin' && port === 5000
          ? ['On macOS that is usually AirPlay Receiver: System Settings, General, AirDrop & Handoff.']
          : []),
      ].join('\n')
    case 'EADDRNOTAVAIL':
      return `this machine has no address ${address ?? ''}; correct http.host.`
    case 'EACCES':
    case 'EPERM':
      if (port !== undefined)
        return `port ${port} is not ours to take; use one above 1023, or grant the right.`
      return `${path ?? 'a file'} may not be opened: its permissions are against it.`
    case 'EROFS':
      return `${path ?? 'a file'} is on a read-only file system; name a place that can be written.`
    case 'EEXIST':
    case 'ENOTDIR':
      return `${path ?? 'a folder'} cannot be made: there is a file where a folder has to be.`
    case 'ENOSPC':
      return 'the disk is full.'
    default:
      return null
  }
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (process.env['DEBUG']) return error.stack ?? error.message
  // What is underneath is not for clients of a server; whoever runs a command may know it.
  if (error instanceof RegistryError && error.cause instanceof RegistryError) return error.cause.message
  return error.message
}
