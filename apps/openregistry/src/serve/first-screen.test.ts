import { loadConfig } from '@openregistry/server/config'
import { expect, test } from 'vitest'
import { firstScreen } from './first-screen.ts'

async function screen(env: Record<string, string> = {}, file: string | null = null): Promise<string> {
  const config = await loadConfig({ env, cwd: '/srv' })
  return firstScreen({
    config,
    file,
    addresses: ['http://127.0.0.1:5000', 'http://[::1]:5000'],
    version: '1.2.3',
  })
}

test('says where it is, who may use it, and what to type', async () => {
  const text = await screen()
  expect(text).toContain('OpenRegistry 1.2.3 is running.')
  expect(text).toContain('http://127.0.0.1:5000  http://[::1]:5000')
  expect(text).toContain('/srv/data')
  expect(text).toContain('open: whoever reaches this address may push, pull and delete')
  expect(text).toContain('docker push 127.0.0.1:5000/me/app:1')
  expect(text).not.toContain('docker login')
  expect(text).not.toContain('network')
})

test('warns of an open network', async () => {
  const env = { OPEN_REGISTRY_HTTP_HOST: '0.0.0.0', OPEN_REGISTRY_AUTH_ALLOW_OPEN_NETWORK: 'true' }
  expect(await screen(env)).toContain('Others on the network may reach this address')
})

test('with users, and behind a public address', async () => {
  const env = {
    OPEN_REGISTRY_AUTH_USERS_FILE: 'users',
    OPEN_REGISTRY_HTTP_PUBLIC_URL: 'https://registry.example.org',
  }
  const text = await screen(env, '/etc/openregistry.yaml')
  expect(text).toContain('/etc/openregistry.yaml')
  expect(text).toContain('docker login registry.example.org')
  expect(text).toContain('docker push registry.example.org/me/app:1')
  expect(text).toContain('users of the users file may push')
})
