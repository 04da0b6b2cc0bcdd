import { Command } from 'commander'
import { withClientOptions, type ClientOptions } from '../client/client-options.ts'
import { examples, jsonOption } from './shared-options.ts'

/** `openregistry tag`, `tag history` and `tag restore` */
export function tagCommand(): Command {
  return withClientOptions(new Command('tag'))
    .description('give an image one more tag; see what happened to tags, and bring back what was deleted')
    .argument('<image>', 'name[:tag][@digest]; the tag is latest if none is given')
    .argument('<new tag>', 'a tag of the same repository; moved, if it is there')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples(
        'openregistry tag me/app:1.4.2 stable',
        'openregistry tag me/app@sha256:… rescued',
        'openregistry tag history me/app:latest',
        'openregistry tag restore me/app:latest',
      ),
    )
    .action(async (image: string, newTag: string, options: ClientOptions) => {
      const { addTag } = await import('../client/add-tag.ts')
      await addTag(image, newTag, options)
    })
    .addCommand(historyCommand())
    .addCommand(restoreCommand())
}

function historyCommand(): Command {
  return withClientOptions(new Command('history'))
    .description('show who changed a tag, when, from what to what; of a repository with its deleted tags')
    .argument('<image or repository>', 'name:tag for one tag, name for all of them')
    .option('--at <time>', 'begin with what the tag was then: "2026-11-16 09:30", monday, 36h')
    .option('--all', 'every change, not the newest 50 alone')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples(
        'openregistry tag history me/app:latest',
        'openregistry tag history me/app',
        "openregistry tag history me/app:latest --at monday --json | jq -r '.changes[0].to'",
      ),
    )
    .action(async (target: string, _: unknown, command: Command) => {
      const { tagHistory } = await import('../client/tag-history.ts')
      // The command above has options of the same names, and takes them wherever they stand.
      await tagHistory(target, command.optsWithGlobals<ClientOptions & { at?: string; all?: boolean }>())
    })
}

function restoreCommand(): Command {
  return withClientOptions(new Command('restore'))
    .description('bring back a tag, or a deleted manifest with the tags that went with it')
    .argument('<image>', 'name:tag for a tag as it was before its last change; name@digest for a manifest')
    .option('--to <digest>', 'what the tag is to point to; the beginning of a digest that it had is enough')
    .option('--at <time>', 'what the tag was then: "2026-11-16 09:30", monday, 36h')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples(
        'openregistry tag restore me/app:latest',
        'openregistry tag restore me/app:latest --at monday',
        'openregistry tag restore me/app:latest --to sha256:4f53cda18c2b',
        'openregistry tag restore me/app@sha256:…',
      ),
    )
    .action(async (target: string, _: unknown, command: Command) => {
      const { tagRestore } = await import('../client/tag-restore.ts')
      await tagRestore(target, command.optsWithGlobals<ClientOptions & { to?: string; at?: string }>())
    })
}
