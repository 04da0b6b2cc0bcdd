import { expect, test } from 'vitest'
import { clientMatrix, clientOf } from './client-matrix.ts'

test('the client is what stands before the first colon', () => {
  expect(clientOf('docker: push: and pull')).toEqual({ client: 'docker', what: 'push: and pull' })
  expect(clientOf('ctr: ctr images pull > on another machine')?.client).toBe('ctr')
  expect(clientOf('the README has the table')).toBeNull()
  expect(clientOf('two words: no client')).toBeNull()
})

test('clients are listed by name with every subject', () => {
  const lines = clientMatrix([
    { client: 'podman', what: 'push', state: 'passed' },
    { client: 'docker', what: 'push', state: 'passed' },
    { client: 'docker', what: 'pull', state: 'failed' },
    { client: 'docker', what: 'run', state: 'skipped' },
  ])
  expect(lines).toEqual([
    '',
    'Clients:',
    '  docker  1 passed, 1 failed, 1 skipped',
    '    ok   push',
    '    FAIL pull',
    '    skip run',
    '  podman  1 passed',
    '    ok   push',
  ])
})

test('a run without clients has no matrix', () => {
  expect(clientMatrix([])).toEqual([])
})
