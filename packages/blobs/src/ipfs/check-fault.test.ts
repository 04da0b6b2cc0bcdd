import { expect, test } from 'vitest'
import { RegistryError } from '@openregistry/oci'
import { checkFault } from './check-fault.ts'
import { PeerRefusal, PeerUnreachable } from './peer-fault.ts'

const place = 'the Kubo node http://127.0.0.1:5001 (dfs.ipfs.api_url)'

test.each<[string, Error, string, string]>([
  [
    'away',
    new PeerUnreachable('connect ECONNREFUSED'),
    'UNAVAILABLE',
    'does not answer (connect ECONNREFUSED). Is it running',
  ],
  [
    'full',
    new PeerRefusal(500, 'no space left on device'),
    'FULL',
    'has no space left (no space left on device). Make room',
  ],
  [
    'locked',
    new PeerRefusal(403, 'Access Denied'),
    'UNAVAILABLE',
    'does not let us in (Access Denied). Set the token',
  ],
  [
    'another thing',
    new PeerRefusal(404, '404 page not found'),
    'UNAVAILABLE',
    'Is that the address of the API?',
  ],
  ['unwilling', new PeerRefusal(500, 'repo needs migration'), 'UNAVAILABLE', 'refuses: repo needs migration'],
])('a backend that is %s says what to do', (_what, error, code, reason) => {
  const fault = checkFault(place, error)
  expect(fault).toMatchObject({ code: `STORAGE_${code}` })
  const { cause } = fault
  expect((cause as Error).message).toContain(`${place} `)
  expect((cause as Error).message).toContain(reason)
  expect(fault.message).not.toContain('127.0.0.1')
})

test('a fault of another call says it, too', () => {
  const fault = new RegistryError('STORAGE_UNAVAILABLE', undefined, {
    cause: new PeerUnreachable('connect ECONNREFUSED'),
  })
  expect((checkFault(place, fault).cause as Error).message).toContain(`${place} does not answer`)
})

test('what says it itself is left as it is', () => {
  const said = new RegistryError('STORAGE_UNAVAILABLE', undefined, { cause: 'no gateway' })
  expect(checkFault(place, said)).toBe(said)
})
