/** Three significant digits, thousands apart; a dash for what was not measured. */
export function inDigits(value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (value === 0) return '0'
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))
  const [whole = '', fraction] = value.toFixed(Math.min(digits, 4)).split('.')
  const spaced = whole.replace(/\B(?=(\d{3})+$)/g, ' ')
  return fraction === undefined ? spaced : `${spaced}.${fraction}`
}

/** A ratio as the table shows it. */
export function inTimes(ratio: number): string {
  return Number.isFinite(ratio) ? `${ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(2)}×` : '–'
}

/** A Markdown table. The first column is aligned left, all others right. */
export function markdownTable(header: readonly string[], lines: readonly (readonly string[])[]): string {
  const escaped = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
  const alignment = header.map((_, index) => (index === 0 ? '---' : '---:'))
  return [escaped(header), `| ${alignment.join(' | ')} |`, ...lines.map(escaped)].join('\n')
}
