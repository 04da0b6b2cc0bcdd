/** Bytes that all warnings of an answer may have together ("Warnings"). */
const limit = 4096

/** Values of `Warning` headers as the specification wants them; those that do not fit are counted instead. */
export function warnings(texts: readonly string[]): string[] {
  const lines: string[] = []
  let used = 0
  for (const [index, text] of texts.entries()) {
    const line = `299 - "${text.replaceAll(/["\\\r\n]/g, ' ')}"`
    const rest = `299 - "… and ${texts.length - index} more."`
    if (used + line.length + rest.length + 20 > limit) return [...lines, rest.replace('…', '...')]
    lines.push(line)
    used += line.length
  }
  return lines
}
