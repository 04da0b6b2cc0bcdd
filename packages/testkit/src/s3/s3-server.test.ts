import { readdir } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { describeWithS3 } from './with-s3.ts'

describeWithS3('an S3 server for tests', (server) => {
  test('answers, ends, and comes back at the same address with what it held', async () => {
    const { endpoint, bucket } = await server().createBucket()
    expect((await fetch(`${endpoint}/${bucket}`)).status).toBe(403)
    await server().stop('SIGKILL')
    await expect(fetch(endpoint)).rejects.toThrow()
    await server().start()
    expect((await fetch(`${endpoint}/${bucket}`)).status).toBe(403)
    expect(await readdir(server().folder)).toEqual([bucket])
  })
})
