import { access, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { mutate } from './checkout.ts'
import { mutations } from './mutations.ts'

test.each(mutations)('the sources still have what "$name" takes away', async ({ edits, suite }) => {
  for (const [file, find, replace] of edits) {
    const source = await readFile(new URL(`../../../${file}`, import.meta.url), 'utf8')
    expect(mutate(source, find, replace)).not.toBe(source)
  }
  if (suite !== undefined) await access(new URL(`../../../${suite.file}`, import.meta.url))
})
