/** A request as it was sent. */
export interface SentRequest {
  method: string
  url: string
  headers: Headers
  body: unknown
}

/** A `fetch` for tests that answers as it is told, and keeps what it was asked. */
export function scriptedFetch(answers: readonly (Response | Error)[]): {
  fetch: typeof fetch
  sent: SentRequest[]
} {
  const sent: SentRequest[] = []
  const ask: typeof fetch = (input, init = {}) => {
    const answer = answers[sent.length]
    sent.push({
      method: init.method ?? 'GET',
      url: input instanceof Request ? input.url : String(input),
      headers: new Headers(init.headers),
      body: init.body ?? null,
    })
    if (answer === undefined) throw new Error(`No answer was prepared for request ${sent.length}.`)
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
  }
  return { fetch: ask, sent }
}
