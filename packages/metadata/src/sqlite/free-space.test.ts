import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { requireSpace } from './free-space.ts'

test('requireSpace compares what is left with what is needed', async () => {
  await requireSpace(tmpdir(), 0)
  await expect(requireSpace(tmpdir(), Number.MAX_SAFE_INTEGER)).rejects.toMatchObject({
    code: 'STORAGE_FULL',
  })
})
