import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, type TestContext } from 'vitest'
import { shared, sharedRegistry, sharedScratch } from '../support/client-test.ts'
import { ContainerTools } from '../support/container-tools.ts'
import { Containerd } from '../support/containerd.ts'
import { DockerEngine, dockerPeers } from '../support/docker-engine.ts'
import { homedClient } from '../support/homed-client.ts'
import { makeLayout } from '../support/image-layout.ts'
import { OwnAddress } from '../support/own-address.ts'
import { requirePeers, type PeerName } from '../support/peers.ts'
import type { Program } from '../support/program.ts'
import { pushLayout } from '../support/push-layout.ts'
import { greet, makeRootfs } from '../support/rootfs.ts'
import {
  commandLine,
  plainHttpFiles,
  plainHttpRows,
  plainHttpTable,
  type PlainHttpLine,
  type SettingsFile,
} from './plain-http.table.ts'

const scratch = sharedScratch()
const registry = sharedRegistry({
  host: '0.0.0.0',
  settings: { OPEN_REGISTRY_AUTH_ALLOW_OPEN_NETWORK: 'true' },
})
const engine = shared(() => DockerEngine.start(), dockerPeers)
const containerd = shared(() => Containerd.start(), ['containerd', 'ctr'])
const tools = shared(() => new ContainerTools())

let own: OwnAddress | null = null
beforeAll(async () => void (own = await OwnAddress.find()))
afterAll(() => own?.[Symbol.asyncDispose]())

/** What else has to be here for a client to be run. */
const companions: Partial<Record<PeerName, readonly PeerName[]>> = {
  docker: dockerPeers,
  buildah: ['podman'],
  ctr: ['containerd'],
}

/** The program of a client, in the folder that has what the commands name. */
function programOf(client: PeerName): Program {
  const inFolder = { cwd: scratch().path }
  if (client === 'docker') return engine().docker
  if (client === 'ctr') return containerd().ctr
  if (client === 'podman' || client === 'buildah' || client === 'skopeo')
    return tools()[client].with(inFolder)
  return homedClient(client, scratch()).with(inFolder)
}

/** Makes what the commands name: an image of that name, a layout, a file, a chart. */
async function prepare(client: PeerName, address: string): Promise<void> {
  const image = `${address}/me/app:1`
  if (client === 'docker') await engine().import(await makeRootfs(scratch()), image, greet)
  if (client === 'podman' || client === 'buildah') {
    tools().configureRegistries('')
    await tools().import(await makeRootfs(scratch()), image, greet)
  }
  if (client === 'helm') {
    await programOf('helm').run('create', 'chart')
    // Another archive each time: what is there already is not sent, and only sending wants the switch.
    await programOf('helm').run('package', 'chart', '--app-version', address.replace(':', '-'))
  }
  scratch().file('note.txt', 'a note\n')
  await pushLayout(registry().url, 'me/app', await makeLayout(scratch(), 'app'))
}

/** Runs a line of the table as it is typed. @returns its exit code. */
async function type(line: PlainHttpLine, given: string | null, address: string): Promise<number> {
  const certificates = join(scratch().path, 'certs.d')
  const words = commandLine(line, given, address).replace('/etc/containerd/certs.d', certificates)
  const [, ...args] = words.split(' ')
  return (await programOf(line.client).attempt(...args)).code
}

/** Puts a file where its program looks for it in these tests. */
async function install(file: SettingsFile, address: string): Promise<void> {
  const content = file.content.join('\n').replaceAll('HOST:5000', address)
  if (file.path.endsWith('daemon.json')) {
    await engine().reconfigure(JSON.parse(content) as Record<string, unknown>)
  } else if (file.path.endsWith('registries.conf')) {
    tools().configureRegistries(`${content}\n`)
  } else {
    scratch().file(join('certs.d', address, 'hosts.toml'), `${content}\n`)
  }
}

/** Skips a test whose client is missing. */
function needs(context: TestContext, line: PlainHttpLine): void {
  requirePeers(context, [line.client, 'busybox', ...(companions[line.client] ?? [])])
}

/** The address of the registry for another machine. */
function elsewhere(context: TestContext): string {
  if (own === null) context.skip('no address besides loopback, and none can be made')
  return registry().addressAt(own.ip)
}

for (const line of plainHttpTable) {
  const { client, here, elsewhere: there, file, fileSwitch } = line
  const name = client === 'ctr' ? 'containerd' : client

  test(`${name}: plain HTTP by "${commandLine(line, here, '127.0.0.1:5000')}"`, async (context) => {
    needs(context, line)
    await prepare(client, registry().address)
    if (here !== null) expect(await type(line, null, registry().address), 'without').not.toBe(0)
    expect(await type(line, here, registry().address)).toBe(0)
  })

  const byFile = file === undefined ? '' : ` and by ${file.path}`
  test(`${name}: plain HTTP by "${commandLine(line, there, 'HOST:5000')}"${byFile}`, async (context) => {
    needs(context, line)
    const address = elsewhere(context)
    await prepare(client, address)
    expect(await type(line, null, address), 'without').not.toBe(0)
    if (there !== null) expect(await type(line, there, address)).toBe(0)
    if (file === undefined) return
    await install(file, address)
    expect(await type(line, fileSwitch ?? null, address), file.path).toBe(0)
  })
}

test('the README has the table, and the files that it names', () => {
  // Formatting pads the cells of a table.
  const plain = (text: string) => text.replace(/ +/g, ' ').replace(/-{3,}/g, '---')
  const readme = plain(readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8'))
  for (const row of plainHttpRows()) expect(readme).toContain(plain(row))
  for (const { path, content } of plainHttpFiles()) {
    expect(readme).toContain(path)
    expect(readme).toContain(content.join('\n'))
  }
})
