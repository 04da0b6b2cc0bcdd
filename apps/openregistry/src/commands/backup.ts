import { Command, Option } from 'commander'
import type { SnapshotBackupOptions } from '../snapshot/backup-snapshot.ts'
import { CommandError, exitCodes } from '../exit-codes.ts'
import { examples, jsonOption, several } from './shared-options.ts'

type BackupOptions = SnapshotBackupOptions & { copy?: boolean; ipfs?: boolean }

/** `openregistry backup` */
export function backupCommand(): Command {
  return new Command('backup')
    .description(
      'copy database and blobs to a new folder, or with --ipfs write a signed snapshot of the metadata; beside a live server if need be',
    )
    .argument(
      '[folder or file]',
      'a folder that is empty or missing, from which a registry starts; with --ipfs the CAR of the snapshot',
    )
    .option('--copy', 'copy the bytes of blobs even where a hard link would do (the same file system)')
    .option('--ipfs', 'write a snapshot, from which "openregistry restore" rebuilds the registry')
    .option('--all', 'private repositories, too; such a snapshot is always encrypted')
    .option('--encrypt', 'only who has the keys file can read the snapshot')
    .option('--with-blobs', 'blobs that lie in backends, too, so that the CAR is all that a restore needs')
    .addOption(
      new Option('--pin [address]', 'pin it on a Kubo node, by its API; the configured one if none is named'),
    )
    .addOption(
      new Option(
        '--since <snapshot>',
        'write only what this earlier snapshot does not have: the file of its CAR, or its CID in the configured Kubo node (may be repeated)',
      ).argParser(several),
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples(
        'openregistry backup /backups/monday',
        'OPEN_REGISTRY_DATA_DIR=/backups/monday openregistry serve',
        'openregistry backup /mnt/disk2/registry --config /etc/openregistry.yaml --json',
        'openregistry backup --ipfs /backups/monday.car --all',
        'openregistry backup --ipfs /backups/tuesday.car --all --since /backups/monday.car',
        'openregistry backup --ipfs --pin http://127.0.0.1:5001',
      ),
    )
    .action(async (target: string | undefined, options: BackupOptions, command: Command) => {
      requireSense(target, options)
      const { loadConfigOf } = await import('../load-config.ts')
      const { config } = await loadConfigOf(command)
      if (options.ipfs === true) {
        const { backupSnapshot } = await import('../snapshot/backup-snapshot.ts')
        return backupSnapshot(config, target, options)
      }
      const { backup } = await import('../backup/backup.ts')
      await backup(config, target!, options)
    })
}

function requireSense(target: string | undefined, options: BackupOptions): void {
  const usage = (message: string) => new CommandError(message, { exitCode: exitCodes.usage })
  const { ipfs = false, copy, all, encrypt, withBlobs, pin, since } = options
  if (ipfs && copy !== undefined) throw usage('--copy is for a backup to a folder; leave it out with --ipfs.')
  if (ipfs) return
  if ([all, encrypt, withBlobs, pin, since].some((option) => option !== undefined)) {
    throw usage('--all, --encrypt, --with-blobs, --pin and --since go with --ipfs.')
  }
  if (target === undefined) throw usage('name a folder for the backup, or write a snapshot with --ipfs.')
}
