import { Command } from 'commander'
import type { AdoptCommand } from '../adopt/adopt.ts'
import { examples, jsonOption } from './shared-options.ts'

/** `openregistry adopt`. */
export function adoptCommand(): Command {
  return new Command('adopt')
    .description(
      'give the blob folder, or another backend of the configuration, to its database, when a server refuses it and you know better: a backup was restored, blobs were moved',
    )
    .option('--backend <name>', 'the backend, such as disk or s3 (default: dfs.default)')
    .option('--accept-missing', 'also when objects are missing that the database names')
    .option('-y, --yes', 'do not ask (needed where there is no terminal)')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nIt says first what it finds there. From then on every other database refuses it.' +
        examples(
          'openregistry adopt',
          'OPEN_REGISTRY_DFS_DISK_PATH=/srv/blobs openregistry adopt --yes',
          'openregistry adopt --backend s3',
          'openregistry adopt --accept-missing',
        ),
    )
    .action(async (options: AdoptCommand, command: Command) => {
      const { loadConfigOf } = await import('../load-config.ts')
      const { adopt } = await import('../adopt/adopt.ts')
      const { config } = await loadConfigOf(command)
      await adopt(config, options)
    })
}
