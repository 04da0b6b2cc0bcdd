import { copyFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Finding } from '../doctor/finding.ts'
import { pushImage } from '../testing/push-image.ts'
import { runCommand } from '../testing/run-command.ts'
import { runServer } from '../testing/run-server.ts'
import { temporaryFolder } from '../testing/temporary-folder.ts'

describe('a registry that is half restored', () => {
  test('is served by nobody, until the restore ends or is given up', { timeout: 60_000 }, async () => {
    await using folder = await temporaryFolder()
    const cwd = folder.path
    const env = { OPEN_REGISTRY_KEYS_FILE: 'keys.json', OPEN_REGISTRY_HTTP_PORT: '0' }
    const run = (...args: string[]) => runCommand(args, { cwd, env })
    const snapshots: string[] = []
    {
      await using live = await runServer({ cwd })
      await copyFile(join(cwd, 'data/keys.json'), join(cwd, 'keys.json'))
      await pushImage(live.client, 'me/app:small', 20)
      await pushImage(live.client, 'me/app:large', 1_200_000)
      for (const file of ['a.car', 'b.car']) {
        const saved = await run('backup', '--ipfs', file, '--json')
        expect(saved.code, saved.stderr).toBe(0)
        snapshots.push((JSON.parse(saved.stdout) as { snapshot: string }).snapshot)
      }
      const beside = await run('restore', 'a.car')
      expect([beside.code, beside.stderr]).toEqual([1, expect.stringContaining('Another server is using')])
    }
    await rm(join(cwd, 'data'), { recursive: true })
    // Nobody has the large layer.
    expect((await run('restore', 'a.car')).code).toBe(1)

    const says = expect.stringMatching(
      `restore of the snapshot ${snapshots[0]}, which began at .*Run it again.*restore --give-up`,
    ) as string
    for (const command of [['serve'], ['backup', '--ipfs', 'c.car'], ['gc'], ['scrub']]) {
      const refused = await run(...command)
      expect([command, refused.code, refused.stderr]).toEqual([command, 1, says])
    }
    const other = await run('restore', 'b.car')
    expect([other.code, other.stderr]).toEqual([2, says])
    const doctor = await run('doctor', '--json')
    const { checks } = JSON.parse(doctor.stdout) as { checks: Finding[] }
    expect(checks.filter(({ status }) => status === 'failed')).toMatchObject([
      { check: 'restore', advice: expect.stringContaining('Run it again') as string },
    ])

    const over = await run('restore', '--give-up', '--json')
    expect([over.code, JSON.parse(over.stdout)]).toEqual([0, { snapshot: snapshots[0], ended: true }])
    await using back = await runServer({ cwd, env })
    const listed = await fetch(`${back.server}/v2/me/app/tags/list`)
    expect(await listed.json()).toEqual({ name: 'me/app', tags: ['small'] })
    const again = await run('restore', '--give-up')
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('Another server is using')])
    await back.stop()
    const none = await run('restore', '--give-up')
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('there is no restore')])
  })

  test.for([
    [['restore'], 'name a snapshot'],
    [['restore', 'a.car', '--give-up'], 'leave out all but'],
    [['restore', '--give-up', '--from', 'http://127.0.0.1:1'], 'leave out all but'],
    [['restore', '--give-up', '--accept-missing'], 'leave out all but'],
  ] as const)('%j is a mistake', async ([args, says]) => {
    await using folder = await temporaryFolder()
    const { code, stderr } = await runCommand(args, { cwd: folder.path })
    expect([code, stderr]).toEqual([2, expect.stringContaining(says)])
  })
})
