import type { PasswordHash, RefusedHash } from './password-hash.ts'

/** At a cost of 16 a check takes seconds; anything above is a mistake, or a way to keep this server busy. */
const highestCost = 16

/** Version, cost, 22 characters of salt, 31 of hash. */
const form = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/

/**
 * Reads a bcrypt hash. As with htpasswd, only the first 72 bytes of a password count; that is how bcrypt is defined.
 */
export function parseBcrypt(text: string): PasswordHash | RefusedHash {
  const cost = Number(form.exec(text)?.[1] ?? NaN)
  if (Number.isNaN(cost)) return { refused: 'the bcrypt hash is damaged; set it anew with "htpasswd -B"' }
  if (cost < 4 || cost > highestCost) {
    return {
      refused: `a bcrypt cost of ${cost} is not between 4 and ${highestCost}; 10 to 12 is usual (htpasswd -B -C 12)`,
    }
  }
  return {
    async verify(password) {
      // Native code, loaded only where somebody has such a hash.
      const { verify } = await import('@node-rs/bcrypt')
      return verify(password, text)
    },
  }
}
