import type { HttpAnswer } from './http-peer.ts'
import { PeerRefusal, PeerUnreachable } from './peer-fault.ts'

/** Bytes of a line that is still taken, and of an error text that is read. */
const longestLine = 1024 * 1024

/**
 * The JSON values of an answer, one a line, as Kubo and IPFS Cluster stream them.
 * @throws PeerRefusal when the status is an error, or the trailer `X-Stream-Error` says that the stream ended with one: to
 * whoever does not look there, that is a 200; PeerUnreachable when it broke off.
 */
export async function* answerLines(answer: HttpAnswer): AsyncGenerator<unknown, void, undefined> {
  if (answer.status < 200 || answer.status > 299) throw await refusalOf(answer)
  let rest = ''
  const decoder = new TextDecoder()
  for await (const chunk of answer.chunks) {
    rest += decoder.decode(chunk, { stream: true })
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > longestLine) throw new PeerUnreachable('A line of the answer has no end.')
    for (const line of lines) if (line !== '') yield parse(line)
  }
  rest += decoder.decode()
  if (rest !== '') yield parse(rest)
  const fault = answer.trailer('x-stream-error')
  if (fault !== null && fault !== '') throw new PeerRefusal(answer.status, fault)
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch (cause) {
    throw new PeerUnreachable('A line of the answer is no JSON.', { cause })
  }
}

/** What an answer with an error says. Kubo and IPFS Cluster say it in JSON, what stands in front of them in anything. */
export async function refusalOf(answer: HttpAnswer): Promise<PeerRefusal> {
  const text = await beginningOf(answer)
  return new PeerRefusal(
    answer.status,
    messageIn(text) ?? `${answer.status} ${text.slice(0, 300).trim()}`.trim(),
  )
}

async function beginningOf(answer: HttpAnswer): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of answer.chunks) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > 64 * 1024) break
  }
  return text
}

function messageIn(text: string): string | null {
  try {
    const said = JSON.parse(text) as { Message?: unknown; message?: unknown } | null
    const message = said?.Message ?? said?.message
    return typeof message === 'string' && message !== '' ? message : null
  } catch {
    // Not JSON: the text is all there is.
    return null
  }
}
