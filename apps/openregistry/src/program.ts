import { Command } from 'commander'
import { clientCommands } from './commands/client.ts'
import { configCommand } from './commands/config.ts'
import { dataCommands } from './commands/data.ts'
import { doctorCommand } from './commands/doctor.ts'
import { serveCommand } from './commands/serve.ts'
import { versionCommand } from './commands/version.ts'
import { version } from './version.ts'

/** The command line. Commands here only say what they take; what they do is loaded when one is called. */
export function program(): Command {
  const root = new Command('openregistry')
    .description('A container registry on your own machine; every layer is IPFS content.')
    .version(version(), '-V, --version')
    .option('--config <file>', 'configuration file (default: openregistry.yaml, if it is there)')
    .helpCommand(false)
    .showSuggestionAfterError(true)
    .showHelpAfterError('(--help says more)')
    .addHelpText('after', '\nBegin with:\n  openregistry serve\n  docker push 127.0.0.1:5000/me/app:1')
  const commands = [
    serveCommand(),
    ...clientCommands(),
    ...dataCommands(),
    configCommand(),
    doctorCommand(),
    versionCommand(),
  ]
  for (const command of commands) root.addCommand(command)
  return inherit(root)
}

/** Makes every command throw instead of ending the process, and report mistakes alike. */
function inherit(command: Command): Command {
  command.exitOverride()
  for (const child of command.commands) inherit(child.copyInheritedSettings(command))
  return command
}
