// `npm run conformance`: the official suites of both generations against a registry of ours, started for it. With
// `-- --replicas` it is three replicas on PostgreSQL behind a balancer, with `-- --s3` its blobs are in a bucket.
import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { startTemporaryRegistry } from '../e2e/conformance/start-registry.ts'
import { missingReason, officialSuites, resultsOf } from './conformance/official-suites.ts'

for (const shape of ['replicas', 's3']) {
  if (process.argv.includes(`--${shape}`)) process.env['OPEN_REGISTRY_CONFORMANCE_SHAPE'] = shape
}
const results = join(dirname(import.meta.dirname), 'conformance-results')
const total = { passed: 0, failed: 0, skipped: 0 }
let sound = true

await rm(results, { recursive: true, force: true })
for (const suite of officialSuites) {
  const binary = process.env[suite.variable]
  if (binary === undefined || binary === '') {
    total.skipped++
    console.log(`${suite.name}: skipped, ${missingReason(suite)}`)
    continue
  }
  // A registry of its own for each, so that none finds what another left.
  await using registry = await startTemporaryRegistry()
  const { passed, failed, skipped, complaints } = await suite.run({
    binary,
    origin: registry.origin,
    results: resultsOf(results, suite),
  })
  console.log(`${suite.name}: ${passed} passed, ${failed} failed, ${skipped} skipped`)
  for (const complaint of complaints) console.log(`  ${complaint}`)
  total.passed += passed
  total.failed += failed
  total.skipped += skipped
  if (failed > 0 || complaints.length > 0) sound = false
}
if (total.passed > 0) console.log(`Reports, as a certification wants them, are in ${results}.`)
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
process.exitCode = sound ? 0 : 1
