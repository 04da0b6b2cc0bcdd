import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { sharedScratch } from '../support/client-test.ts'
import { ContainerTools } from '../support/container-tools.ts'
import { cleanEnvironment, findProgram } from '../support/environment.ts'
import { homedClient } from '../support/homed-client.ts'
import { makeLayout, twoPlatforms } from '../support/image-layout.ts'
import { peerPath, requirePeers } from '../support/peers.ts'
import { RegistryApi } from '../support/registry-api.ts'
import { RunningRegistry, startRegistryUnderTest } from '../support/registry.ts'
import { run } from '../support/run.ts'

const scratch = sharedScratch()
const page = readFileSync(join(import.meta.dirname, '../../docs/migrating.md'), 'utf8')

/** The code below a heading of the page, in that language. */
function recipe(heading: string, language: 'sh' | 'yaml'): string {
  const section = page.split(/^## /m).find((one) => one.startsWith(heading)) ?? ''
  const code = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'ms').exec(section)?.[1]
  if (code === undefined) throw new Error(`docs/migrating.md has no ${language} under "${heading}".`)
  return code
}

/** Where an old registry's content comes from: repositories with tags, an artifact that refers to an image. */
async function fill(old: RunningRegistry): Promise<void> {
  const { folder } = await makeLayout(scratch(), 'app', twoPlatforms)
  const regctl = homedClient('regctl', scratch())
  await regctl.run('registry', 'set', '--tls', 'disabled', '--skip-check', old.address)
  for (const image of ['app:1', 'me/app:1', 'me/app:2', 'me/tool:1', 'a/b/c/app:1']) {
    await regctl.run('image', 'copy', `ocidir://${folder}:1`, `${old.address}/${image}`)
  }
  const subject = `${old.address}/me/app:1`
  const put = ['artifact', 'put', '--artifact-type', 'application/vnd.example.sbom', '--subject', subject]
  await regctl.feed('an SBOM\n', ...put)
}

for (const kind of ['distribution', 'docker-registry', 'zot'] as const) {
  /** Fills an old registry, and runs a recipe of the page that copies from it to the registry under test. */
  async function migrate(
    code: string,
    check: (api: RegistryApi, old: RegistryApi) => Promise<void>,
    files: Record<string, string> = {},
  ): Promise<void> {
    await using old = await RunningRegistry.start(kind)
    await using registry = await startRegistryUnderTest()
    await using tools = new ContainerTools()
    await fill(old)
    const named = (text: string) =>
      text.replaceAll('OLD:5000', old.address).replaceAll('NEW:5000', registry.address)
    for (const [name, content] of Object.entries(files)) tools.scratch.file(name, named(content))
    const folders = ['regctl', 'skopeo'].map((name) => join(peerPath(name as 'regctl'), '..'))
    const env = cleanEnvironment(tools.scratch.folder('home'))
    const path = [...folders, env.PATH].join(':')
    await run('sh', ['-eu', '-c', named(code)], { env: { ...env, PATH: path }, cwd: tools.scratch.path })
    await check(new RegistryApi(registry.url), new RegistryApi(old.url))
  }

  test(`skopeo: one repository from ${kind}`, async (context) => {
    requirePeers(context, [kind, 'skopeo', 'regctl', 'busybox'])
    await migrate(recipe('One repository', 'sh'), async (api, old) => {
      const copied = await api.manifest('me/app', '1')
      expect(copied.digest).toBe((await old.manifest('me/app', '1')).digest)
      expect(copied.body.manifests).toHaveLength(2)
      expect(await api.tags('me/app')).toEqual((await old.tags('me/app')).toSorted())
    })
  })

  test(`skopeo: everything from ${kind}`, async (context) => {
    requirePeers(context, [kind, 'skopeo', 'regctl', 'busybox'])
    for (const tool of ['curl', 'jq']) if (findProgram(tool) === null) context.skip(`no ${tool}`)
    await migrate(recipe('Everything', 'sh'), async (api, old) => {
      for (const repository of ['app', 'me/app', 'me/tool', 'a/b/c/app']) {
        expect(await api.tags(repository)).toEqual((await old.tags(repository)).toSorted())
      }
    })
  })

  test(`skopeo: some tags from ${kind}`, async (context) => {
    requirePeers(context, [kind, 'skopeo', 'regctl', 'busybox'])
    const heading = 'Some tags'
    const files = { 'sync.yaml': recipe(heading, 'yaml') }
    const code = recipe(heading, 'sh').replaceAll('NEW:5000/me', 'NEW:5000/chosen')
    await migrate(
      code,
      async (api) => {
        expect(await api.tags('chosen/app')).toEqual(['1', '2'])
        expect(await api.tags('chosen/tool')).toEqual(['1'])
      },
      files,
    )
  })

  test(`regctl: a repository with referrers from ${kind}`, async (context) => {
    requirePeers(context, [kind, 'skopeo', 'regctl', 'busybox'])
    await migrate(recipe('Signatures', 'sh'), async (api) => {
      const { digest } = await api.manifest('me/app', '1')
      const artifactType = 'application/vnd.example.sbom'
      expect(await api.referrers('me/app', digest)).toMatchObject([{ artifactType }])
    })
  })
}
