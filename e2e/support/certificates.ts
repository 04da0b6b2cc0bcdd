import { join } from 'node:path'
import { cleanEnvironment } from './environment.ts'
import { peerPath } from './peers.ts'
import { run } from './run.ts'
import type { Scratch } from './scratch.ts'

/** A certificate authority of our own and a certificate that it has signed; paths of PEM files. */
export interface Certificates {
  authority: string
  cert: string
  key: string
}

/** Makes both with openssl, as an administrator would. @param ip the address that the certificate is for */
export async function makeCertificates(scratch: Scratch, ip: string): Promise<Certificates> {
  const folder = scratch.folder('certificates')
  const openssl = (...args: string[]) =>
    run(peerPath('openssl'), args, { env: cleanEnvironment(folder), cwd: folder })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  const authority = ['-subj', '/CN=Test authority', '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '2']
  await openssl('req', '-x509', ...newKey, ...authority)
  await openssl('req', ...newKey, '-subj', `/CN=${ip}`, '-keyout', 'server.key', '-out', 'server.csr')
  scratch.file('certificates/names', `subjectAltName=IP:${ip},IP:127.0.0.1,DNS:localhost\n`)
  const signer = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2']
  const request = ['-req', '-in', 'server.csr', '-extfile', 'names', '-out', 'server.crt']
  await openssl('x509', ...request, ...signer)
  return {
    authority: join(folder, 'ca.crt'),
    cert: join(folder, 'server.crt'),
    key: join(folder, 'server.key'),
  }
}
