import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runProgram } from './run-program.ts'
import { readLegacyReport, readNewestReport, type SuiteTotals } from './suite-totals.ts'

/** What a run of an official suite needs. */
export interface SuiteRun {
  /** The program of the suite. */
  binary: string
  /** Of the registry: `http://127.0.0.1:5000`. */
  origin: string
  /** Where its report goes; made if it is not there. */
  results: string
}

/** One official suite, run in one way. */
export interface OfficialSuite {
  /** Name of its folder in the results. */
  name: string
  /** The variable that names its program. No package registry has the programs. */
  variable: 'OCI_CONFORMANCE_BIN' | 'OCI_CONFORMANCE_LEGACY_BIN'
  /** The name of the peer, for the reason of a skip. */
  peer: string
  run(options: SuiteRun): Promise<SuiteTotals>
}

/** Every switch that turns on a part of the API. */
const apiSwitches = [
  'PING',
  'PULL',
  'PUSH',
  'BLOBS_ATOMIC',
  'BLOBS_DELETE',
  'BLOBS_DIGEST_HEADER',
  'BLOBS_MOUNT_ANONYMOUS',
  'BLOBS_UPLOAD_CANCEL',
  'MANIFESTS_ATOMIC',
  'MANIFESTS_DELETE',
  'MANIFESTS_DIGEST_HEADER',
  'MANIFESTS_TAG_PARAM',
  'TAGS_ATOMIC',
  'TAGS_DELETE',
  'TAGS_LIST',
  'REFERRER',
]

async function runNewest({ binary, origin, results }: SuiteRun): Promise<SuiteTotals> {
  await mkdir(results, { recursive: true })
  const { host, protocol } = new URL(origin)
  const env: Record<string, string> = {
    OCI_REGISTRY: host,
    OCI_TLS: protocol === 'https:' ? 'insecure' : 'disabled',
    OCI_REPO1: 'conformance/repo1',
    OCI_REPO2: 'conformance/repo2',
    OCI_VERSION: 'dev',
    OCI_RESULTS_DIR: results,
    // Not a file that happens to lie in the current folder.
    OCI_CONFIGURATION: '/dev/null',
  }
  for (const name of apiSwitches) env[`OCI_API_${name}`] = 'true'
  const { stdout, stderr, exitCode } = await runProgram(binary, [], env)
  // Beside the folder, which holds what a certification is submitted with and nothing else.
  await writeFile(`${results}.log`, stdout + stderr)
  return readNewestReport(stdout, exitCode)
}

async function runLegacy(run: SuiteRun, manifestsFirst: boolean): Promise<SuiteTotals> {
  const { binary, origin, results } = run
  await mkdir(results, { recursive: true })
  const namespace = manifestsFirst ? 'legacy/manifests-first' : 'legacy/blobs-first'
  const env = {
    OCI_ROOT_URL: origin,
    OCI_NAMESPACE: `${namespace}/one`,
    OCI_CROSSMOUNT_NAMESPACE: `${namespace}/two`,
    OCI_TEST_PULL: '1',
    OCI_TEST_PUSH: '1',
    OCI_TEST_CONTENT_DISCOVERY: '1',
    OCI_TEST_CONTENT_MANAGEMENT: '1',
    OCI_AUTOMATIC_CROSSMOUNT: '1',
    OCI_HIDE_SKIPPED_WORKFLOWS: '0',
    OCI_DELETE_MANIFEST_BEFORE_BLOBS: manifestsFirst ? '1' : '0',
    OCI_REPORT_DIR: results,
  }
  const { stdout, stderr, exitCode } = await runProgram(binary, ['--ginkgo.no-color'], env)
  await writeFile(`${results}.log`, stdout + stderr)
  return readLegacyReport(stdout, exitCode)
}

const legacy = { variable: 'OCI_CONFORMANCE_LEGACY_BIN', peer: 'oci-conformance-legacy' } as const

/** Both generations; the older one in both orders in which it can delete. */
export const officialSuites: readonly OfficialSuite[] = [
  { name: 'newest', variable: 'OCI_CONFORMANCE_BIN', peer: 'oci-conformance', run: runNewest },
  { name: 'legacy-manifests-first', ...legacy, run: (options) => runLegacy(options, true) },
  { name: 'legacy-blobs-first', ...legacy, run: (options) => runLegacy(options, false) },
]

/** Why a suite cannot run, with what to do, when its variable is not set. */
export function missingReason({ peer, variable }: OfficialSuite): string {
  return `missing peer: ${peer} (set ${variable} to its program, built from opencontainers/distribution-spec)`
}

/** The folder of a suite within the folder of all results. */
export function resultsOf(folder: string, suite: OfficialSuite): string {
  return join(folder, suite.name)
}
