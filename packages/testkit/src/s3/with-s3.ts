import { afterAll, beforeAll, describe, test } from 'vitest'
import { findVersitygw, requireVersitygw } from './find-versitygw.ts'
import { S3Server } from './s3-server.ts'

/** Tests that are given a running server. */
type TestsOfServer = (server: () => S3Server) => void

/**
 * A group of tests that share one S3 server. Where versitygw is not installed, one test stands for all of them and is
 * skipped with the reason.
 */
export function describeWithS3(name: string, body: TestsOfServer): void {
  const register = findVersitygw() === null ? registerStandIn : registerTests
  describe(`${name}`, () => {
    register(body)
  })
}

function registerStandIn(): void {
  test('needs versitygw', (context) => requireVersitygw(context))
}

function registerTests(body: TestsOfServer): void {
  let started: S3Server | null = null
  beforeAll(async () => {
    started = await S3Server.start()
  })
  afterAll(() => started?.[Symbol.asyncDispose]())
  body(() => {
    if (started === null) throw new Error('The server is not started yet.')
    return started
  })
}
