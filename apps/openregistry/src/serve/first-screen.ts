import type { Config } from '@openregistry/server/config'
import { paletteOf } from '../terminal/colors.ts'

/** What a person who started the registry wants to know: where it is, who may use it, and what to type. */
export function firstScreen(about: {
  config: Config
  /** The configuration file that was read, or null. */
  file: string | null
  addresses: readonly string[]
  version: string
}): string {
  const { config, file, addresses, version } = about
  const { bold, dim, warn } = paletteOf(process.stdout)
  const address = config.http.public_url ?? addresses[0] ?? ''
  const host = new URL(address).host
  const open = config.auth.mode === 'open'
  const lines = [
    `${bold(`OpenRegistry ${version}`)} is running.`,
    '',
    `  address        ${bold(addresses.join('  '))}`,
    `  data           ${config.data_dir}`,
    `  configuration  ${file ?? 'defaults ("openregistry config print" shows them)'}`,
    `  access         ${open ? 'open: whoever reaches this address may push, pull and delete' : 'users of the users file may push'}`,
    ...(open && config.auth.allow_open_network
      ? [
          warn(
            '  Others on the network may reach this address: so may they. auth.users_file asks for passwords.',
          ),
        ]
      : []),
    '',
    'Try it:',
    ...(open ? [] : [`  docker login ${host}`]),
    `  docker tag IMAGE ${host}/me/app:1`,
    `  docker push ${host}/me/app:1`,
    `  docker pull ${host}/me/app:1`,
    '',
    dim('Ctrl-C stops it.'),
  ]
  return `\n${lines.map((line) => `  ${line}`.trimEnd()).join('\n')}\n\n`
}
