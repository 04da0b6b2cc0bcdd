import { createHash, randomBytes } from 'node:crypto'
import { copyFile, mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { parseDigest, parseRepositoryName, type RepositoryName } from '@openregistry/oci'
import { describe, expect, test } from 'vitest'
import { pushImage, type PushedImage } from './testing/push-image.ts'
import { runCommand, startCommand } from './testing/run-command.ts'
import { runServer, type ServerUnderTest } from './testing/run-server.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

const [app, tool, secret] = ['me/app', 'me/tool', 'team/secret'].map(parseRepositoryName) as [
  RepositoryName,
  RepositoryName,
  RepositoryName,
]

interface Pushed {
  repository: RepositoryName
  tag: string
  image: PushedImage
}

/** A registry with some images, a signature, and a private repository. */
async function fill({ client }: ServerUnderTest): Promise<Pushed[]> {
  const pushed: Pushed[] = []
  for (const [repository, tag, size] of [
    [app, '1', 2_500_000],
    [app, '2', 10],
    [tool, 'latest', 1_200_000],
    [secret, 'v1', 700_000],
  ] as const) {
    pushed.push({ repository, tag, image: await pushImage(client, `${repository}:${tag}`, size) })
  }
  await pushImage(client, app, 30, pushed[0]!.image.digest)
  // Nobody needs it: it is in no snapshot, and so nobody misses it.
  const stray = randomBytes(50_000)
  const digest = parseDigest(`sha256:${createHash('sha256').update(stray).digest('hex')}`)
  await client.oci.uploadBlob(app, digest, stray)
  await client.api.setVisibility(secret, 'private')
  return pushed
}

/** Everything of an image is there, byte for byte, by its tag and by its digest. */
async function expectThere({ client }: ServerUnderTest, { repository, tag, image }: Pushed): Promise<void> {
  for (const reference of [tag, image.digest]) {
    const manifest = await client.oci.getManifest(repository, reference as never)
    expect(manifest.digest).toBe(image.digest)
  }
  const stream = await client.oci.getBlob(repository, image.layer.digest)
  expect(Buffer.from(await new Response(stream).arrayBuffer()).equals(image.layer.bytes)).toBe(true)
}

async function nameOf({ client }: ServerUnderTest, repository: RepositoryName): Promise<string | null> {
  return (await client.api.cid(repository, null)).ipns
}

interface Saved {
  snapshot: string
  /** In IPNS. */
  name: string
}

/** A snapshot is nobody's business but the operator's: the registry answers as for what does not exist. */
async function expectNotServed({ server }: ServerUnderTest, { snapshot, name }: Saved): Promise<void> {
  const ask = async (path: string, known: string) => {
    const answer = await fetch(server + path)
    return [answer.status, (await answer.text()).replaceAll(known, '…')]
  }
  const [noName, noCid] = [
    'k51qzi5uqu5dkvh9sd6kf8ssu0wdy1t63okzfpng2vujl1zjqc9k7zvxtdwfkj',
    'bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy',
  ]
  for (const [path, query, own, other] of [
    ['/routing/v1/ipns/', '', name, noName],
    ['/ipns/', '?format=ipns-record', name, noName],
    ['/ipfs/', '?format=ipns-record', name, noName],
    ['/ipfs/', '?format=raw', snapshot, noCid],
    ['/routing/v1/providers/', '', snapshot, noCid],
  ] as const) {
    expect([path, ...(await ask(path + own + query, own))]).toEqual([
      path,
      ...(await ask(path + other + query, other)),
    ])
  }
}

/** A folder with a registry that was filled, and a file beside it with its keys. */
async function filled() {
  await using stack = new AsyncDisposableStack()
  const { path: cwd } = stack.use(await temporaryFolder())
  const live = stack.use(await runServer({ cwd }))
  const images = await fill(live)
  await copyFile(join(cwd, 'data/keys.json'), join(cwd, 'keys.json'))
  const opened = stack.move()
  const run = (args: readonly string[], env: Record<string, string> = {}) =>
    runCommand(args, { cwd, env: { OPEN_REGISTRY_KEYS_FILE: 'keys.json', ...env } })
  /** The same registry from nothing, and nobody else. */
  const lose = async (): Promise<void> => {
    await live.stop()
    await rm(join(cwd, 'data'), { recursive: true })
  }
  const serve = () => runServer({ cwd, env: { OPEN_REGISTRY_KEYS_FILE: 'keys.json' } })
  return { cwd, live, images, run, lose, serve, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

describe('a registry whose database and blobs are gone', () => {
  test('is back from a CAR with everything that was public, under the same names', async () => {
    await using registry = await filled()
    const { cwd, live, images, run, lose, serve } = registry
    const names = await Promise.all([app, tool].map((repository) => nameOf(live, repository)))
    const saved = await run(['backup', '--ipfs', 'monday.car', '--with-blobs', '--json'])
    expect(saved.code, saved.stderr).toBe(0)
    const snapshot = JSON.parse(saved.stdout) as Saved
    expect(snapshot).toMatchObject({ sealed: false, repositories: 2, tags: 3, manifests: 4 })
    await expectNotServed(live, snapshot)
    await lose()

    const restored = await run(['restore', 'monday.car', '--json'])
    expect(restored.code, restored.stderr).toBe(0)
    expect(JSON.parse(restored.stdout)).toMatchObject({
      ...{ snapshot: snapshot.snapshot, ended: true, repositories: 2, tags: 3, manifests: 4, missing: 0 },
    })
    await using back = await serve()
    for (const image of images.filter(({ repository }) => repository !== secret))
      await expectThere(back, image)
    expect(await Promise.all([app, tool].map((repository) => nameOf(back, repository)))).toEqual(names)
    const referrers = await fetch(`${back.server}/v2/${app}/referrers/${images[0]!.image.digest}`)
    expect(((await referrers.json()) as { manifests: unknown[] }).manifests.length).toBe(1)
    await expect(back.client.api.cid(secret, null)).rejects.toMatchObject({ code: 'NAME_UNKNOWN' })

    // Not into a registry that is there.
    await back.stop()
    const again = await run(['restore', 'monday.car'])
    expect([again.code, again.stderr]).toEqual([
      2,
      expect.stringContaining(`there is a registry in ${join(cwd, 'data')}`),
    ])
  })

  test('is back with what is private from a sealed snapshot, and blobs come from wherever they are', async () => {
    await using registry = await filled()
    const { cwd, live, images, run, lose, serve } = registry
    const saved = await run(['backup', '--ipfs', 'all.car', '--all', '--json'])
    expect(saved.code, saved.stderr).toBe(0)
    expect(JSON.parse(saved.stdout)).toMatchObject({ sealed: true, repositories: 3, blobsElsewhere: 3 })
    await expectNotServed(live, JSON.parse(saved.stdout) as Saved)
    const car = await readFile(join(cwd, 'all.car'))
    for (const word of ['me/app', 'secret', 'rootfs', images[0]!.image.digest.slice(7)])
      expect(car.includes(word)).toBe(false)
    // Somebody else has the layers, one of them private there and here.
    await using elsewhere = await temporaryFolder()
    await using other = await runServer({ cwd: elsewhere.path })
    for (const { image } of images.slice(0, 3)) {
      await other.client.oci.uploadBlob(tool, image.layer.digest, image.layer.bytes)
    }
    await lose()

    const first = await run(['restore', 'all.car', '--from', other.server])
    expect(first.code).toBe(1)
    expect(first.stderr).toContain('The same command goes on')
    expect(first.stderr).toContain(
      `missing: ${secret}@${images[3]!.image.layer.digest}: Nobody gives the block`,
    )
    await other.client.oci.uploadBlob(tool, images[3]!.image.layer.digest, images[3]!.image.layer.bytes)
    const second = await run(['restore', 'all.car', '--from', other.server, '--json'])
    expect(second.code, second.stderr).toBe(0)
    expect(second.stderr).toContain('Going on')
    expect(JSON.parse(second.stdout)).toMatchObject({ missing: 0, repositories: 3, fetched: 700_000 })
    await using back = await serve()
    for (const image of images) await expectThere(back, image)
    expect((await fetch(`${back.server}/api/v1/repositories/${encodeURIComponent(secret)}`)).status).toBe(200)
    expect(await back.client.api.cid(secret, null)).toMatchObject({ visibility: 'private' })
  })

  test('goes on wherever a restore was killed', { timeout: 240_000 }, async () => {
    await using registry = await filled()
    const { cwd, images, run, lose, serve } = registry
    await run(['backup', '--ipfs', 'monday.car', '--with-blobs'])
    await lose()
    // Killed after a little longer each time, in milliseconds, until it comes to its end.
    let ended = false
    for (let wait = 500; !ended; wait *= 1.4) {
      const child = startCommand(['restore', 'monday.car'], {
        cwd,
        env: { OPEN_REGISTRY_KEYS_FILE: 'keys.json' },
      })
      const said = text(child.stderr!)
      const code = new Promise<number | null>((resolve) => child.once('close', resolve))
      const timer = setTimeout(() => child.kill('SIGKILL'), wait)
      // Killed between its last step and its end, it has nothing to go on with: the registry is there.
      ended = (await code) === 0 || (await said).includes('there is a registry in')
      clearTimeout(timer)
    }
    await using back = await serve()
    for (const image of images.filter(({ repository }) => repository !== secret))
      await expectThere(back, image)
    const { tags } = await back.client.api.cid(app, null)
    expect(tags).toBe(2)
  })
})

describe('what cannot be restored makes nothing, and says why:', () => {
  test('all of it', async () => {
    await using registry = await filled()
    const { cwd, run, lose } = registry
    const saved = await run(['backup', '--ipfs', 'clear.car', '--json'])
    const { name } = JSON.parse(saved.stdout) as { name: string }
    await run(['backup', '--ipfs', 'sealed.car', '--encrypt'])
    await lose()
    const car = await readFile(join(cwd, 'clear.car'))
    const write = (file: string, bytes: Uint8Array) => writeFile(join(cwd, file), bytes)

    await write('cut.car', car)
    await truncate(join(cwd, 'cut.car'), car.length - 100)
    const flipped = Buffer.from(car)
    flipped[car.length - 50]! ^= 1
    await write('flipped.car', flipped)
    await write('no.car', Buffer.from('this is no CAR'))
    await mkdir(join(cwd, 'others'))
    const others = { OPEN_REGISTRY_KEYS_FILE: 'others/keys.json' }
    await write('others/keys.json', Buffer.from(JSON.stringify({ version: 1, secret: 'A'.repeat(43) })))
    const other = 'k51qzi5uqu5dkvh9sd6kf8ssu0wdy1t63okzfpng2vujl1zjqc9k7zvxtdwfkj'

    const cases: [args: string[], env: Record<string, string>, code: number, says: string][] = [
      [['cut.car'], {}, 1, 'cut.car cannot be used. The CAR ends early.'],
      [['flipped.car'], {}, 1, 'has other bytes than its CID says'],
      [['no.car'], {}, 1, 'no.car cannot be used'],
      [['nothing.car'], {}, 2, 'is no file that is there, no CID, and no name in IPNS'],
      [['clear.car'], others, 1, 'signed with another key than the trusted one'],
      [['clear.car', '--key', other], {}, 1, 'signed with another key than the trusted one'],
      [['clear.car', '--key', 'nobody'], {}, 2, 'nobody is no key of a snapshot'],
      [['clear.car'], { OPEN_REGISTRY_KEYS_FILE: 'none.json' }, 2, 'nobody is trusted'],
      [['sealed.car', '--key', name], { OPEN_REGISTRY_KEYS_FILE: 'none.json' }, 1, 'The snapshot is sealed'],
      [['sealed.car', '--key', name], others, 1, 'sealed with another keys file'],
      [[name], {}, 1, 'there is nobody to ask; name somebody with --from or --kubo'],
      [['clear.car', '--from', 'ipfs.io'], {}, 2, 'ipfs.io is no address'],
    ]
    for (const [args, env, code, says] of cases) {
      const ended = await run(['restore', ...args], env)
      expect([ended.code, ended.stderr], args.join(' ')).toEqual([code, expect.stringContaining(says)])
    }
  })

  test.each([
    [['backup', '--ipfs'], 'name a file for the snapshot'],
    [['backup', '--ipfs', 'a.car', '--copy'], '--copy is for a backup to a folder'],
    [['backup', 'folder', '--all'], 'go with --ipfs'],
    [['backup'], 'name a folder for the backup'],
    [['backup', '--ipfs', 'a.car', '--all', '--with-blobs'], 'for everybody to read'],
    [['backup', '--ipfs', '--pin'], 'no Kubo node is configured'],
  ])('%j', async (args, says) => {
    await using folder = await temporaryFolder()
    const { code, stderr } = await runCommand(args, { cwd: folder.path })
    expect([code, stderr]).toEqual([2, expect.stringContaining(says)])
  })
})
