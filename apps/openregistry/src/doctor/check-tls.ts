import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Config } from '@openregistry/server/config'
import { failed, ok, warning, type Finding } from './finding.ts'

/** Days before its end from which a certificate is worth a warning. */
const renewal = 14
const day = 24 * 3600_000

/** Certificate and key, where the port speaks HTTPS. */
export async function checkTls({ http: { tls } }: Config, now = Date.now()): Promise<Finding[]> {
  if (tls.cert === null || tls.key === null) return []
  try {
    const certificate = new X509Certificate(await readFile(tls.cert))
    const key = createPrivateKey(await readFile(tls.key))
    if (!certificate.checkPrivateKey(key)) {
      return [
        failed('certificate', `${tls.key} is not the key of ${tls.cert}`, 'Name the key that belongs to it.'),
      ]
    }
    return [validity(certificate, now)]
  } catch (error) {
    return [
      failed(
        'certificate',
        (error as Error).message,
        'http.tls.cert and http.tls.key are PEM files that this user can read.',
      ),
    ]
  }
}

function validity({ validFromDate, validToDate, subjectAltName }: X509Certificate, now: number): Finding {
  const names = subjectAltName ?? 'no name'
  const left = Math.floor((validToDate.getTime() - now) / day)
  if (now < validFromDate.getTime()) {
    return failed(
      'certificate',
      `${names}: not valid before ${validFromDate.toISOString()}`,
      'Wait, or set the clock.',
    )
  }
  if (now > validToDate.getTime()) {
    return failed('certificate', `${names}: ended ${validToDate.toISOString()}`, 'Renew it.')
  }
  const message = `${names}: valid for ${left} more days`
  return left < renewal
    ? warning('certificate', message, 'Renew it, and start the registry again.')
    : ok('certificate', message)
}
