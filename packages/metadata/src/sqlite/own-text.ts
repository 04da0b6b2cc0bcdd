/**
 * The same text in memory of its own. Text that was cut from a longer one keeps all of it alive: the name of a repository
 * keeps the address of a request, which is as long as its client likes.
 */
export function ownText(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le')
}
