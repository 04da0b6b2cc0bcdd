import { setTimeout as pause } from 'node:timers/promises'

/** Milliseconds that one block may take: Kubo looks for what nobody has for ever. */
const patience = 30_000

/** Milliseconds before it is tried again, doubled each time, and how often it is tried. */
const firstPause = 250
const attempts = 4

/** What is asked for, and what of it. */
export interface PatientAsk extends Pick<RequestInit, 'headers' | 'method'> {
  /** Bytes of the body at most. */
  most: number
  /** Statuses of what may pass, in which case it is asked for once more. */
  passing: ReadonlySet<number>
  signal?: AbortSignal | undefined
}

/**
 * Asks somebody who is not trusted, in a bounded time, and reads no more than wanted. Nobody is followed elsewhere.
 * @returns the body; null when it is not there (404, 410).
 * @throws Error with what the answer says; the reason of the signal.
 */
export async function askPatiently(
  ask: typeof fetch,
  url: string,
  { most, passing, signal, ...request }: PatientAsk,
): Promise<Uint8Array | null> {
  const late = AbortSignal.timeout(patience)
  const both = signal === undefined ? late : AbortSignal.any([signal, late])
  for (let attempt = 1; ; attempt++) {
    const response = await ask(url, { ...request, signal: both, redirect: 'manual' })
    if (response.status === 200) return readBody(response, most)
    const said = await beginningOf(response)
    if (response.status === 404 || response.status === 410) return null
    if (attempt === attempts || !passing.has(response.status)) {
      throw new Error(`it answers with status ${response.status}${said === '' ? '' : ` (${said})`}`)
    }
    await pause(firstPause * 2 ** (attempt - 1), undefined, { signal: both })
  }
}

async function readBody(response: Response, most: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > most) throw new Error(`it gives more than the ${most} bytes that were asked for`)
    chunks.push(chunk)
  }
  return new Uint8Array(Buffer.concat(chunks))
}

/** What an answer says in its first bytes, on one line. */
async function beginningOf({ body }: Response): Promise<string> {
  for await (const chunk of body ?? []) {
    return Buffer.from(chunk.subarray(0, 200)).toString('utf8').replaceAll(/\s+/g, ' ').trim()
  }
  return ''
}
