import { Command } from 'commander'
import { version } from '../version.ts'
import { examples, jsonOption } from './shared-options.ts'

/** `openregistry version` */
export function versionCommand(): Command {
  return new Command('version')
    .description('print the version of this program and of its runtime')
    .addOption(jsonOption())
    .addHelpText('after', examples('openregistry version', 'openregistry version --json'))
    .action((options: { json?: boolean }) => {
      const facts = {
        version: version(),
        node: process.versions.node,
        platform: process.platform,
        arch: process.arch,
      }
      const line = `openregistry ${facts.version} (Node ${facts.node}, ${facts.platform} ${facts.arch})`
      process.stdout.write(`${options.json ? JSON.stringify(facts) : line}\n`)
    })
}
