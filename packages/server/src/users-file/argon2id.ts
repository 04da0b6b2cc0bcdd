import { argon2, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import type { PasswordHash, RefusedHash } from './password-hash.ts'

const derive = promisify(argon2)

/** What one check may take at most: memory in KiB, passes, lanes. More is a mistake or an attack on this server. */
const most = { memory: 256 * 1024, passes: 64, lanes: 64 }

/** PHC string of version 1.3 (decimal 19), the one of RFC 9106; Base64 without padding. */
const form =
  /^\$argon2id\$v=19\$m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,8})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,171})$/

/** Reads an argon2id hash (`$argon2id$v=19$m=…,t=…,p=…$salt$hash`). */
export function parseArgon2id(text: string): PasswordHash | RefusedHash {
  const match = form.exec(text)
  if (match === null) return { refused: 'the argon2id hash is damaged, or of a version other than 19' }
  const [memory, passes, lanes] = [Number(match[1]), Number(match[2]), Number(match[3])]
  if (memory > most.memory || passes > most.passes || lanes > most.lanes) {
    return {
      refused: `the argon2id hash asks for more than m=${most.memory}, t=${most.passes}, p=${most.lanes}; m=19456,t=2,p=1 is usual`,
    }
  }
  // RFC 9106, 3.1: at least one pass and one lane, and 8 KiB of memory for each lane.
  if (passes < 1 || lanes < 1 || memory < 8 * lanes)
    return { refused: 'the parameters of the argon2id hash contradict each other' }
  const nonce = Buffer.from(match[4] ?? '', 'base64')
  const expected = Buffer.from(match[5] ?? '', 'base64')
  return {
    async verify(password) {
      const found = await derive('argon2id', {
        message: password,
        nonce,
        parallelism: lanes,
        tagLength: expected.length,
        memory,
        passes,
      })
      return timingSafeEqual(found, expected)
    },
  }
}
