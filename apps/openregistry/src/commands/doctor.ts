import { Command } from 'commander'
import { examples, jsonOption } from './shared-options.ts'

/** `openregistry doctor` */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('check configuration, port, data folder, disk, clock and runtime, and say what to do')
    .option('--running', 'a registry has to answer, too: for health checks of containers')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples('openregistry doctor', 'openregistry doctor --config /etc/openregistry.yaml --json'),
    )
    .action(async (options: { json?: boolean; running?: boolean }, command: Command) => {
      const { doctor } = await import('../doctor/doctor.ts')
      await doctor(command, options)
    })
}
