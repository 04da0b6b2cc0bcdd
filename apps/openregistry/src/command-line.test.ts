import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Command } from 'commander'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { program } from './program.ts'
import { runCommand, startCommand } from './testing/run-command.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder[Symbol.asyncDispose]())

const run = (args: string[], env: Record<string, string> = {}, input = '') =>
  runCommand(args, { cwd: folder.path, env, input })

/** Every command that does something, with its full name. */
function leaves(command: Command, above: string[] = []): [string, Command][] {
  return command.commands.flatMap((child) => {
    const path = [...above, child.name()]
    return child.commands.length > 0 ? leaves(child, path) : [[path.join(' '), child] as [string, Command]]
  })
}

describe('help', () => {
  test('every command has a description, examples and --json', () => {
    for (const [name, command] of leaves(program())) {
      let help = ''
      command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp()
      expect(help, name).toContain('Examples:\n  ')
      expect(help, name).toContain('--json')
      expect(command.description().length, name).toBeGreaterThan(10)
    }
  })

  test('docs/commands.md has every command with every option', async () => {
    const docs = await readFile(new URL('../../../docs/commands.md', import.meta.url), 'utf8')
    for (const [name, command] of leaves(program())) {
      const section = docs.split(`\n### openregistry ${name}`)[1]?.split('\n### ')[0]
      expect(section, name).toBeDefined()
      for (const option of command.options)
        expect(section, `${name} ${option.long}`).toContain(`${option.long}`)
    }
  })

  test('is on the standard output and no failure', async () => {
    const { code, stdout, stderr } = await run(['backup', '--help'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('Usage: openregistry backup [options] [folder or file]')
  })
})

describe('exit codes', () => {
  test.each([
    ['an unknown command', ['srve'], 'Did you mean serve?'],
    ['an unknown option', ['ls', '--jsn'], 'Did you mean --json?'],
    ['no command', [], 'Usage: openregistry'],
    ['a missing argument', ['inspect'], "missing required argument 'image'"],
    ['too many arguments', ['inspect', 'a', 'b'], 'too many arguments'],
    [
      'a choice that is none',
      ['repository', 'set', 'a', '--visibility', 'secret'],
      'Allowed choices are public, private',
    ],
    ['a bad name', ['inspect', 'Me/App'], 'lower-case'],
    ['a bad tag', ['tag', 'me/app:1', 'me/app:2'], 'Give the tag alone'],
    ['an image where a repository is meant', ['ls', 'me/app:1'], 'openregistry inspect me/app:1'],
    ['a tag and a digest', ['rm', `me/app:1@sha256:${'0'.repeat(64)}`], 'not both'],
    ['nobody to ask', ['rm', 'me/app:1'], 'add --yes'],
    ['two registries', ['ls', 'a.example/x', '--server', 'b.example'], 'leave one out'],
    ['an address that is none', ['ls', '--server', 'ftp://x'], 'is no address'],
    ['a missing configuration', ['config', 'print', '--config', 'none.yaml'], 'there is no such file'],
    ['a user without a password', ['ls', '--username', 'alice'], 'password of alice is missing'],
  ])('2 for %s', async (_what, args, expected) => {
    const { code, stdout, stderr } = await run(args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(expected)
    expect(stderr).not.toMatch(/\n\s+at /)
  })

  test('1 when nobody answers, with what to do', async () => {
    // A port that was free a moment ago.
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    server.close()
    const { code, stderr } = await run(['ls', '--server', `127.0.0.1:${port}`])
    expect(code).toBe(1)
    expect(stderr).toContain(`No registry answers at http://127.0.0.1:${port} (ECONNREFUSED)`)
    expect(stderr).toContain('openregistry serve')
  })
})

test('whoever reads the output may go away', async () => {
  const child = startCommand(['config', 'print'], { cwd: folder.path })
  child.stdout?.destroy()
  const faults = text(child.stderr ?? Readable.from([]))
  expect(await once(child, 'exit')).toEqual([0, null])
  expect(await faults).toBe('')
})

describe('version', () => {
  test('for people and for scripts', async () => {
    const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as {
      version: string
    }
    expect((await run(['version'])).stdout).toMatch(
      new RegExp(`^openregistry ${version} \\(Node \\d+\\.\\d+\\.\\d+, .+\\)\\n$`),
    )
    expect(JSON.parse((await run(['version', '--json'])).stdout)).toMatchObject({
      version,
      node: process.versions.node,
    })
    expect((await run(['--version'])).stdout).toBe(`${version}\n`)
  })
})

describe('config print', () => {
  test('shows what is in force, and can be loaded again', async () => {
    await writeFile(join(folder.path, 'my.yaml'), 'http: {port: 7000}\nlimits: {manifest: 5MiB}\n')
    const args = ['config', 'print', '--json', '--config', 'my.yaml']
    const { stdout } = await run(args, { OPEN_REGISTRY_GC_LEASE: '2h' })
    expect(JSON.parse(stdout)).toMatchObject({
      data_dir: join(folder.path, 'data'),
      http: { port: 7000 },
      gc: { lease: '2h' },
      limits: { manifest: '5MiB' },
    })
    await writeFile(join(folder.path, 'again.yaml'), stdout)
    expect((await run(['config', 'print', '--json', '--config', 'again.yaml'])).stdout).toBe(stdout)
    await writeFile(
      join(folder.path, 'yaml.yaml'),
      (await run(['config', 'print', '--config', 'again.yaml'])).stdout,
    )
    expect((await run(['config', 'print', '--json'], { OPEN_REGISTRY_CONFIG: 'yaml.yaml' })).stdout).toBe(
      stdout,
    )
  })

  test('names every mistake, and ends with 2', async () => {
    await writeFile(join(folder.path, 'bad.yaml'), 'http:\n  prot: 1\n')
    const { code, stderr } = await run(['config', 'print', '--config', 'bad.yaml'], {
      OPEN_REGISTRY_HTTP_PORT: 'x',
    })
    expect(code).toBe(2)
    expect(stderr).toContain('  bad.yaml:2:3: http.prot: unknown key; did you mean http.port?\n')
    expect(stderr).toContain(
      '  OPEN_REGISTRY_HTTP_PORT: http.port: found "x", expected a whole number from 0 to 65535\n',
    )
  })
})
