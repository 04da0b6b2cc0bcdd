// Fails on an import that the architecture does not draw: see `check-deps/drawing.ts`.
import { dirname } from 'node:path'
import { checkTree } from './check-deps/check-tree.ts'

const { sources, findings } = checkTree(dirname(import.meta.dirname))
for (const finding of findings) console.error(finding)
console.log(`${sources} sources, ${findings.length} forbidden`)
process.exitCode = findings.length === 0 && sources > 0 ? 0 : 1
