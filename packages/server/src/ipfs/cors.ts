import { reply, type Exchange, type Headers } from '../http/exchange.ts'

/**
 * Whatever is here is for everybody, so pages of every site may read it (Path Gateway Specification, "CORS"; Delegated
 * Routing V1, "CORS and Web Browsers").
 */
export const openToAll: Headers = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers':
    'Content-Length, Content-Location, Content-Range, Content-Disposition, ETag, X-Ipfs-Path, X-Ipfs-Roots, X-Request-Id',
}

/** Answers what a browser asks before it lets a page ask (Fetch, "CORS-preflight request"). */
export function answerPreflight(exchange: Exchange): void {
  reply(exchange, 204, {
    ...openToAll,
    'Access-Control-Allow-Methods': 'GET, HEAD, OPTIONS',
    'Access-Control-Allow-Headers':
      'Accept, Cache-Control, Content-Type, If-None-Match, Range, User-Agent, X-Requested-With',
    'Access-Control-Max-Age': 86_400,
  })
}
