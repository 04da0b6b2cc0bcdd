import { ok, warning, type Finding } from './finding.ts'

/** Open files below which a busy registry runs dry: one for each connection and each blob that is read. */
const fewFiles = 4096

/** The runtime, and what the system lets it have. */
export function checkRuntime(): Finding[] {
  const { versions, platform, arch } = process
  const findings = [ok('runtime', `Node ${versions.node} on ${platform} ${arch}`)]
  const files = openFileLimit()
  if (files !== null && files < fewFiles) {
    const advice = `Raise it before the start: ulimit -n ${fewFiles * 4}, or LimitNOFILE= in a systemd unit.`
    findings.push(warning('open files', `this process may have ${files} files open at a time`, advice))
  }
  return findings
}

/** The soft limit, or null where the system does not tell. */
function openFileLimit(): number | null {
  // A full report lists network interfaces, which may ask a name server.
  const diagnostics: NodeJS.ProcessReport & { excludeNetwork?: boolean } = process.report
  diagnostics.excludeNetwork = true
  const report = diagnostics.getReport() as { userLimits?: { open_files?: { soft?: number | string } } }
  const soft = report.userLimits?.open_files?.soft
  return typeof soft === 'number' ? soft : null
}
