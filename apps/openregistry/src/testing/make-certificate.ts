import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

/** Node reads certificates but cannot make them. */
const program = 'openssl'

/** Whether certificates can be made here. */
export const makesCertificates = spawnSync(program, ['version']).status === 0

/** Makes `<name>.crt`, for 30 days from now and for one host, and its key `<name>.key`. */
export function makeCertificate(folder: string, name: string, host: string): { cert: string; key: string } {
  const files = { cert: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) }
  const subject = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`]
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const out = ['-keyout', files.key, '-out', files.cert, '-days', '30']
  const { status, stderr } = spawnSync(program, ['req', '-x509', ...key, ...out, ...subject])
  if (status !== 0) throw new Error(stderr.toString())
  return files
}
