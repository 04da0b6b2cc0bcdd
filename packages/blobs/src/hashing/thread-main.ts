import { createHash, hash, type Hash } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import type { Answered, Asked, HashReply, HashRequest } from './messages.ts'

/** The running digests of one pass over content. */
interface Running {
  sha256: Hash
  sha512: Hash | null
}

const runs = new Map<number, Running>()

/** The beginning of a hash thread: it answers one request after the other until it is terminated. */
parentPort?.on('message', ({ id, request }: Asked) => {
  parentPort?.postMessage(answer(id, request))
})

function answer(id: number, request: HashRequest): Answered {
  try {
    return { id, reply: perform(request), error: null }
  } catch (error) {
    return { id, reply: {}, error: String(error) }
  }
}

function perform(request: HashRequest): HashReply {
  switch (request.kind) {
    case 'update':
      return update(request.run, request.piece, request.sha512)
    case 'leaf':
      return { leaf: hash('sha256', request.piece, 'buffer') }
    case 'finish':
      return finish(request.run, request.sha512)
    case 'forget':
      runs.delete(request.run)
      return {}
  }
}

/** The first leaf is what the running digest has seen so far, so it costs no second pass over the piece. */
function update(run: number, piece: Uint8Array, sha512: boolean): HashReply {
  const running = runs.get(run)
  if (running !== undefined) {
    running.sha256.update(piece)
    running.sha512?.update(piece)
    return {}
  }
  const begun = begin(sha512)
  begun.sha256.update(piece)
  begun.sha512?.update(piece)
  runs.set(run, begun)
  return { leaf: begun.sha256.copy().digest() }
}

function finish(run: number, sha512: boolean): HashReply {
  const running = runs.get(run) ?? begin(sha512)
  runs.delete(run)
  return { sha256: running.sha256.digest(), sha512: running.sha512?.digest() ?? null }
}

function begin(sha512: boolean): Running {
  return { sha256: createHash('sha256'), sha512: sha512 ? createHash('sha512') : null }
}
