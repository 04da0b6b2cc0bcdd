import { Command, Option } from 'commander'
import { adoptCommand } from './adopt.ts'
import { backupCommand } from './backup.ts'
import { gcCommand } from './gc.ts'
import { restoreCommand } from './restore.ts'
import { scrubCommand } from './scrub.ts'
import { examples, jsonOption } from './shared-options.ts'

/** The commands that work on the data of a configuration, also beside a live server. */
export function dataCommands(): Command[] {
  return [migrateCommand(), backupCommand(), restoreCommand(), gcCommand(), scrubCommand(), adoptCommand()]
}

interface MigrateOptions {
  to?: string
  undoMove?: boolean
  yes?: boolean
  json?: boolean
}

function migrateCommand(): Command {
  return new Command('migrate')
    .description(
      'bring the schema of the database up to date ("serve" does so by itself unless db.auto_migrate is false), or move an embedded registry into PostgreSQL',
    )
    .option(
      '--to <address>',
      'move the metadata into an empty database, postgres://user@host:port/database; the password comes from db.password. Interrupted, it goes on where it stopped',
    )
    .addOption(
      new Option(
        '--undo-move',
        'use the embedded registry again that was moved; what was pushed since stays behind',
      ).conflicts('to'),
    )
    .option('-y, --yes', 'undo the move without asking (needed where there is no terminal)')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples(
        'openregistry migrate',
        'openregistry migrate --config /etc/openregistry.yaml',
        'OPEN_REGISTRY_DB_PASSWORD_FILE=/run/secrets/db openregistry migrate --to postgres://openregistry@db.example/openregistry',
      ),
    )
    .action(async (options: MigrateOptions, command: Command) => {
      const { loadConfigOf } = await import('../load-config.ts')
      const { config } = await loadConfigOf(command)
      if (options.undoMove === true) {
        const { undoMove } = await import('../undo-move.ts')
        return undoMove(config, options)
      }
      if (options.to === undefined) {
        const { migrate } = await import('../migrate.ts')
        return migrate(config, options)
      }
      const { migrateTo } = await import('../migrate-to.ts')
      return migrateTo(config, options.to, options)
    })
}
