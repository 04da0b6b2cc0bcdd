import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { clientTest, sharedRegistry, sharedScratch } from '../support/client-test.ts'
import { homedClient } from '../support/homed-client.ts'
import { RegistryApi } from '../support/registry-api.ts'

const scratch = sharedScratch()
const registry = sharedRegistry()
const helm = () => homedClient('helm', scratch()).with({ cwd: scratch().path })

clientTest(['helm'], 'push a chart, pull it, render it from the registry', async () => {
  const { address, url } = registry()
  await helm().run('create', 'hello')
  await helm().run('package', 'hello')
  await helm().run('push', '--plain-http', 'hello-0.1.0.tgz', `oci://${address}/charts`)
  expect(await new RegistryApi(url).tags('charts/hello')).toEqual(['0.1.0'])

  const chart = [`oci://${address}/charts/hello`, '--version', '0.1.0', '--plain-http']
  await helm().run('pull', ...chart, '-d', scratch().folder('pulled'))
  expect(existsSync(join(scratch().path, 'pulled/hello-0.1.0.tgz'))).toBe(true)
  expect(await helm().run('show', 'chart', ...chart)).toContain('name: hello')
  expect(await helm().run('template', 'release', ...chart)).toContain('kind: Deployment')
})

clientTest(['helm'], 'the newest version of a chart is found by its tags', async () => {
  const { address } = registry()
  await helm().run('create', 'newer')
  for (const version of ['0.9.0', '0.10.0', '0.2.0']) {
    await helm().run('package', 'newer', '--version', version)
    await helm().run('push', '--plain-http', `newer-${version}.tgz`, `oci://${address}/charts`)
  }
  const shown = await helm().run('show', 'chart', `oci://${address}/charts/newer`, '--plain-http')
  expect(shown).toContain('version: 0.10.0')
})
