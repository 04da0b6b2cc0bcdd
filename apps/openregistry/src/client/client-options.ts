import { type Command, Option } from 'commander'

/** What commands that ask a registry take. */
export interface ClientOptions {
  server?: string
  username?: string
  passwordStdin?: boolean
  json?: boolean
}

/** Adds the options of commands that ask a registry. The password is no option: others could see it in the process list. */
export function withClientOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '-s, --server <address>',
        'the registry (OPEN_REGISTRY_SERVER; default: http://127.0.0.1:5000)',
      ),
    )
    .addOption(new Option('-u, --username <name>', 'who asks (OPEN_REGISTRY_USERNAME)'))
    .addOption(
      new Option(
        '--password-stdin',
        'read the password from the standard input (else OPEN_REGISTRY_PASSWORD or OPEN_REGISTRY_PASSWORD_FILE)',
      ),
    )
}
