import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createRegistryClient, type InspectedManifest } from '@openregistry/sdk'
import { describe, expect, test } from 'vitest'
import { commandBeside } from './testing/command-beside.ts'
import { pushImage } from './testing/push-image.ts'
import { runCommand } from './testing/run-command.ts'
import { runServer } from './testing/run-server.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

const { server: registry, run, json } = commandBeside((cwd) => runServer({ cwd }))

describe('a registry from its first image to its last', () => {
  test('empty, it says what to type', async () => {
    const { code, stdout, stderr } = await run('ls')
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
    expect(stderr).toContain(`docker push ${new URL(registry().server).host}/me/app:1`)
    expect(await json('ls')).toEqual({ repositories: [] })
  })

  test('ls shows repositories and tags', async () => {
    const { digest } = await pushImage(registry().client, 'me/app:1')
    await pushImage(registry().client, 'other:2')
    expect((await run('ls')).stdout).toBe('REPOSITORY  VISIBILITY\nme/app      public\nother       public\n')
    expect(await json('ls')).toEqual({
      repositories: [
        { name: 'me/app', visibility: 'public' },
        { name: 'other', visibility: 'public' },
      ],
    })
    expect((await run('ls', 'me/app')).stdout).toBe(
      `TAG  DIGEST               KIND   UPDATED\n1    ${digest.slice(0, 19)}  image  just now\n`,
    )
    expect(await json('ls', 'me/app')).toMatchObject({ repository: 'me/app', tags: [{ name: '1', digest }] })
  })

  test('inspect shows digest, size, CID and location of every part', async () => {
    const { digest, config, layer } = await pushImage(registry().client, 'me/app:2', 3_000_000)
    const image = (await json('inspect', 'me/app:2')) as InspectedManifest
    expect(image).toMatchObject({
      repository: 'me/app',
      reference: '2',
      digest,
      location: 'inline',
      config: { digest: config, location: 'inline' },
      layers: [{ digest: layer.digest, size: 3_000_000, location: 'disk' }],
      manifests: [],
    })
    expect([image.cid, image.config?.cid, image.layers[0]?.cid].every((cid) => cid?.startsWith('baf'))).toBe(
      true,
    )
    const { stdout } = await run('inspect', 'me/app:2')
    for (const text of [digest, layer.digest, image.cid, '2.9 MiB', 'disk']) expect(stdout).toContain(text)
    expect(await json('inspect', `${new URL(registry().server).host}/me/app@${digest}`)).toMatchObject({
      digest,
    })
  })

  test('cid prints the CID of an image, or of the repository', async () => {
    const image = (await json('cid', 'me/app:2')) as { cid: string; digest: string }
    expect(image).toMatchObject({ repository: 'me/app', reference: '2', visibility: 'public', tags: null })
    expect(await run('cid', 'me/app:2')).toMatchObject({ code: 0, stdout: `${image.cid}\n`, stderr: '' })
    expect(await run('cid', `me/app@${image.digest}`)).toMatchObject({ stdout: `${image.cid}\n` })
    const directory = (await json('cid', 'me/app')) as { cid: string; ipns: string }
    expect(directory).toMatchObject({ reference: null, digest: null, tags: 2, leftOut: [] })
    const said = await run('cid', 'me/app')
    expect(said.stdout).toBe(`${directory.cid}\n`)
    expect(said.stderr).toContain(`/ipns/${directory.ipns}`)
    expect((await fetch(`${registry().server}/routing/v1/ipns/${directory.ipns}`)).status).toBe(200)
    const answer = await fetch(`${registry().server}/ipfs/${directory.cid}?format=raw`)
    expect(answer.status).toBe(200)
    expect((await run('cid', 'me/app:9')).code).toBe(1)
  })

  test('tag adds and moves tags', async () => {
    const { digest } = (await json('inspect', 'me/app:2')) as InspectedManifest
    expect(await json('tag', 'me/app:2', 'stable')).toEqual({ repository: 'me/app', tag: 'stable', digest })
    expect((await run('tag', 'me/app:1', 'stable')).code).toBe(0)
    expect(await json('inspect', 'me/app:stable')).not.toMatchObject({ digest })
  })

  test('repository set changes who may see it', async () => {
    expect(await json('repository', 'set', 'other', '--visibility', 'private')).toEqual({
      name: 'other',
      visibility: 'private',
    })
    expect((await run('ls')).stdout).toContain('other       private')
    const { stdout, stderr } = await run('cid', 'other:2')
    expect(stdout).toMatch(/^bafybei/)
    expect(stderr).toBe('other is private: nothing is found under this CID until it is made public.\n')
    expect((await fetch(`${registry().server}/ipfs/${stdout.trim()}?format=raw`)).status).toBe(404)
  })

  test('rm deletes a tag, a manifest with its tags, a repository', async () => {
    expect((await run('rm', 'me/app:stable', '--yes')).stderr).toBe(
      'Deleted me/app:stable.\nTo undo that:\n  openregistry tag restore me/app:stable\n',
    )
    expect((await run('ls', 'me/app')).stdout).not.toContain('stable')
    const { digest } = (await json('inspect', 'me/app:2')) as InspectedManifest
    expect(await json('rm', `me/app@${digest}`, '--yes')).toEqual({
      deleted: { repository: 'me/app', tag: null, digest },
      restorableUntil: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
    })
    expect((await run('rm', 'me/app', '--yes')).code).toBe(0)
    expect(await json('ls')).toEqual({ repositories: [{ name: 'other', visibility: 'private' }] })
  })

  test('what is not there is a failure that says what to do', async () => {
    for (const args of [
      ['ls', 'me/app'],
      ['inspect', 'other:9'],
      ['rm', 'other:9', '-y'],
      ['rm', 'gone', '-y'],
    ]) {
      const { code, stdout, stderr } = await run(...args)
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
      expect(stderr).toMatch(/_UNKNOWN\)\n"openregistry ls/)
    }
  })
})

/** `htpasswd -nbB -C 4 x open:sesame` */
const sesame = '$2y$04$GfViB40eH4M.iztTtQcBuuRalcgzsPDupqja3FEpAnZnzUzqLZafC'

test('credentials come from a file, the environment or the standard input, never from an option', async () => {
  await using home = await temporaryFolder()
  await writeFile(join(home.path, 'users'), `jürgen:${sesame}\n`)
  await writeFile(join(home.path, 'password'), 'open:sesame\n')
  await using server = await runServer({ cwd: home.path, env: { OPEN_REGISTRY_AUTH_USERS_FILE: 'users' } })
  const credentials = { username: 'jürgen', password: 'open:sesame' }
  await pushImage(createRegistryClient({ server: server.server, credentials }), 'secret/app:1')

  const list = async (args: string[], env: Record<string, string>, input = '') => {
    const variables = { OPEN_REGISTRY_SERVER: server.server, ...env }
    const { code, stdout } = await runCommand(['ls', ...args], { cwd: home.path, env: variables, input })
    return { code, sees: stdout.includes('secret/app') }
  }
  const user = { OPEN_REGISTRY_USERNAME: 'jürgen' }
  expect(await list([], {})).toEqual({ code: 0, sees: false })
  expect(await list([], { ...user, OPEN_REGISTRY_PASSWORD: 'open:sesame' })).toEqual({ code: 0, sees: true })
  expect(await list([], { ...user, OPEN_REGISTRY_PASSWORD_FILE: 'password' })).toEqual({
    code: 0,
    sees: true,
  })
  expect(await list(['--password-stdin'], user, 'open:sesame\n')).toEqual({ code: 0, sees: true })
  expect(await list(['-u', 'jürgen', '--password-stdin'], {}, 'wrong')).toEqual({ code: 1, sees: false })
  expect(JSON.stringify(server.log)).not.toContain('sesame')
})
