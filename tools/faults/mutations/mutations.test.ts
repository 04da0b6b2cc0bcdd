import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { mutate } from './checkout.ts'
import { mutations } from './mutations.ts'

test.each(mutations)('the sources still have what "$name" takes away', async ({ edits }) => {
  for (const [file, find, replace] of edits) {
    const source = await readFile(new URL(`../../../${file}`, import.meta.url), 'utf8')
    expect(mutate(source, find, replace)).not.toBe(source)
  }
})
