import { Command, Option } from 'commander'
import type { Visibility } from '@openregistry/sdk'
import type { CidOptions } from '../client/cid.ts'
import { withClientOptions, type ClientOptions } from '../client/client-options.ts'
import { moveCommand } from './move.ts'
import { examples, jsonOption } from './shared-options.ts'
import { tagCommand } from './tag.ts'

/** The commands that ask a registry. */
export function clientCommands(): Command[] {
  return [
    listCommand(),
    inspectCommand(),
    cidCommand(),
    removeCommand(),
    tagCommand(),
    repositoryCommand(),
    moveCommand(),
  ]
}

function listCommand(): Command {
  return withClientOptions(new Command('ls'))
    .description('list repositories, or the tags of one')
    .argument('[repository]', 'for example me/app, or registry.example.org/me/app')
    .option('--storage', 'where the content of each tag is stored, and when that was verified')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples(
        'openregistry ls',
        'openregistry ls me/app',
        'openregistry ls --storage me/app',
        'openregistry ls --server https://registry.example.org --json',
      ),
    )
    .action(async (repository: string | undefined, options: ClientOptions & { storage?: boolean }) => {
      if (options.storage === true) {
        const { listStorage } = await import('../client/list-storage.ts')
        return listStorage(repository, options)
      }
      const { listRepositories, listTags } = await import('../client/list.ts')
      await (repository === undefined ? listRepositories(options) : listTags(repository, options))
    })
}

function inspectCommand(): Command {
  return withClientOptions(new Command('inspect'))
    .description('show what an image is made of: digest, size, CID and location of every part')
    .argument('<image>', 'name[:tag][@digest]; the tag is latest if none is given')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples(
        'openregistry inspect me/app:1',
        "openregistry inspect me/app:1 --json | jq -r '.layers[].cid'",
        'openregistry inspect registry.example.org/me/app@sha256:…',
      ),
    )
    .action(async (image: string, options: ClientOptions) => {
      const { inspect } = await import('../client/inspect.ts')
      await inspect(image, options)
    })
}

function cidCommand(): Command {
  return withClientOptions(new Command('cid'))
    .description('print the CID under which IPFS has an image, or all images of a repository')
    .argument('<image or repository>', 'name:tag, name@digest, or a name for the directory of all tags')
    .addOption(
      new Option(
        '--form <form>',
        'of an image: a complete OCI image layout, or what nerdctl pulls by ipfs://',
      )
        .choices(['layout', 'nerdctl'])
        .default('layout'),
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `${examples(
        'openregistry cid me/app:1',
        'ipfs get $(openregistry cid me/app:1) -o app && skopeo copy oci:app docker-daemon:app:1',
        'openregistry cid registry.example.org/me/app',
        'nerdctl pull ipfs://$(openregistry cid me/app:1 --form nerdctl)',
      )}\n\nThe image is a complete OCI image layout under it. Nothing is found under the CID of a private repository.`,
    )
    .action(async (target: string, options: CidOptions) => {
      const { cid } = await import('../client/cid.ts')
      await cid(target, options)
    })
}

function removeCommand(): Command {
  return withClientOptions(new Command('rm'))
    .description('delete a tag, a manifest with all its tags, or a whole repository')
    .argument('<image or repository>', 'name:tag, name@digest, or a name for everything in it')
    .option('-y, --yes', 'do not ask (needed where there is no terminal)')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples('openregistry rm me/app:1', 'openregistry rm me/app@sha256:…', 'openregistry rm me/app --yes'),
    )
    .action(async (target: string, options: ClientOptions & { yes?: boolean }) => {
      const { remove } = await import('../client/remove.ts')
      await remove(target, options)
    })
}

function repositoryCommand(): Command {
  const set = withClientOptions(new Command('set'))
    .description('change who may see a repository')
    .argument('<repository>', 'for example me/app')
    .addOption(
      new Option('--visibility <visibility>', 'who may pull without credentials')
        .choices(['public', 'private'])
        .makeOptionMandatory(),
    )
    .addOption(jsonOption())
    .addHelpText('after', examples('openregistry repository set me/app --visibility private'))
    .action(async (target: string, options: ClientOptions & { visibility: Visibility }) => {
      const { setRepository } = await import('../client/set-repository.ts')
      await setRepository(target, options)
    })
  return new Command('repository').description('settings of a repository').addCommand(set)
}
