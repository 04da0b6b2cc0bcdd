import fc from 'fast-check'
import { parseRepositoryName } from '@openregistry/oci'
import { describe, expect, test } from 'vitest'
import type { RepositoryFacts } from '../ports/metadata-store.ts'
import { authorize } from './authorize.ts'
import { decide, listingScope, type RepositoryAction } from './decide.ts'
import { anonymous, operator, principalName, type Principal } from './principal.ts'

const name = parseRepositoryName('acme/app')
const publicOne: RepositoryFacts = { id: '1', name, visibility: 'public' }
const privateOne: RepositoryFacts = { id: '2', name, visibility: 'private' }
const actions: readonly RepositoryAction[] = ['pull', 'push', 'tag:overwrite', 'delete', 'admin']
const user: Principal = { kind: 'user', name: 'ada' }

function allowed(
  principal: Principal,
  action: RepositoryAction,
  repository: RepositoryFacts | null,
): boolean {
  return decide(principal, { action, resource: { kind: 'repository', name } }, { repository }).allow
}

describe('decide', () => {
  test.each([publicOne, privateOne, null])('operator and users may do everything: %o', (repository) => {
    for (const action of actions) {
      expect(allowed(operator, action, repository)).toBe(true)
      expect(allowed(user, action, repository)).toBe(true)
    }
  })

  test('anonymous may pull what is public, and nothing else', () => {
    const granted = [publicOne, privateOne, null].map((facts) =>
      actions.filter((a) => allowed(anonymous, a, facts)),
    )
    expect(granted).toEqual([['pull'], [], []])
  })

  test('anonymous may list, but neither ping nor operate', () => {
    const instance = (action: 'ping' | 'list' | 'operate') =>
      decide(anonymous, { action, resource: { kind: 'instance' } }).allow
    expect([instance('list'), instance('ping'), instance('operate')]).toEqual([true, false, false])
    expect(listingScope(anonymous)).toEqual({ kind: 'public' })
  })

  test('to whom a repository is hidden, it is answered like one that does not exist', () => {
    const answer = (facts: RepositoryFacts | null, action: RepositoryAction) => {
      try {
        authorize(anonymous, action, name, facts)
        return 'allowed'
      } catch (error) {
        return error
      }
    }
    fc.assert(
      fc.property(fc.constantFrom(...actions), (action) => {
        expect(answer(privateOne, action)).toEqual(answer(null, action))
      }),
    )
  })
})

test('no user name can be taken for another principal', () => {
  expect(principalName({ kind: 'user', name: 'operator' })).not.toBe(principalName(operator))
  expect(principalName({ kind: 'user', name: 'anonymous' })).not.toBe(principalName(anonymous))
})
