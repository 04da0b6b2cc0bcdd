import { Command } from 'commander'
import { examples, jsonOption } from './shared-options.ts'

/** `openregistry config print` */
export function configCommand(): Command {
  const print = new Command('print')
    .description('print the configuration in force, every key explained, secrets masked')
    .addOption(jsonOption('print JSON; it can be used as a configuration file, too'))
    .addHelpText(
      'after',
      examples(
        'openregistry config print',
        'openregistry config print --config /etc/openregistry.yaml --json',
        'OPEN_REGISTRY_HTTP_PORT=5001 openregistry config print',
      ),
    )
    .action(async (options: { json?: boolean }, command: Command) => {
      const { loadConfigOf } = await import('../load-config.ts')
      const { printConfig } = await import('@openregistry/server/config')
      const { config } = await loadConfigOf(command)
      process.stdout.write(printConfig(config, { json: options.json === true }))
    })
  return new Command('config').description('the configuration').addCommand(print)
}
