import { Command } from 'commander'
import { examples, jsonOption } from './shared-options.ts'

/** `openregistry serve` */
export function serveCommand(): Command {
  return new Command('serve')
    .description('run the registry until it is stopped (Ctrl-C or SIGTERM)')
    .addOption(jsonOption('write the log as JSON, on a terminal too'))
    .addHelpText(
      'after',
      examples(
        'openregistry serve',
        'openregistry serve --config /etc/openregistry.yaml',
        'OPEN_REGISTRY_HTTP_PORT=5001 OPEN_REGISTRY_DATA_DIR=/srv/registry openregistry serve',
      ),
    )
    .action(async (options: { json?: boolean }, command: Command) => {
      const { serve } = await import('../serve/serve.ts')
      await serve(command, options)
    })
}
