import { join } from 'node:path'
import { describeWithPostgres } from '@openregistry/testkit'
import { expect, test } from 'vitest'
import { damages, objectFiles } from './testing/damage.ts'
import { smallestOn } from './testing/on-postgres.ts'
import { pushImage } from './testing/push-image.ts'
import { runCommand } from './testing/run-command.ts'
import { runServer } from './testing/run-server.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

describeWithPostgres('scrub on PostgreSQL', (cluster) => {
  test('finds damage beside a server, and several calls share the work', async () => {
    await using folder = await temporaryFolder()
    const cwd = folder.path
    const env = smallestOn(await cluster().createDatabase())
    await using live = await runServer({ cwd, env })
    const images = []
    for (const tag of ['1', '2', '3']) images.push(await pushImage(live.client, `me/app:${tag}`))
    const scrub = async (...args: string[]) => {
      const { code, stdout } = await runCommand(['scrub', '--json', ...args], { cwd, env })
      return { code, ...(JSON.parse(stdout) as { objects: number; damaged: { digest: string }[] }) }
    }
    const both = await Promise.all([scrub(), scrub()])
    expect(both.map(({ code }) => code)).toEqual([0, 0])
    expect(both.reduce((sum, { objects }) => sum + objects, 0)).toBeGreaterThanOrEqual(9)

    const [file = ''] = await objectFiles(join(cwd, 'data', 'blobs'))
    await damages.flipped(file)
    const found = await scrub('--all')
    expect(found).toMatchObject({ code: 1, objects: 9 })
    const hurt = images.find(({ layer }) => layer.digest === found.damaged[0]?.digest)
    expect(hurt).toBeDefined()
    const blob = `${live.server}/v2/me/app/blobs/${hurt?.layer.digest}`
    expect((await fetch(blob, { method: 'HEAD' })).status).toBe(404)
  })
})
