/** 128 random bits in lower-case hex: nobody guesses it, and it comes up once. */
export function randomHex(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  let text = ''
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0')
  return text
}
