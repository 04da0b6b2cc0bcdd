/** Whether colours may be written to a stream: on a terminal, unless NO_COLOR says otherwise (no-color.org). */
export function colorsOf(stream: { isTTY?: boolean }): boolean {
  return stream.isTTY === true && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb'
}

/** Writes text in styles, or plainly. */
export interface Palette {
  bold(text: string): string
  dim(text: string): string
  good(text: string): string
  bad(text: string): string
  warn(text: string): string
}

const codes = { bold: [1, 22], dim: [2, 22], good: [32, 39], bad: [31, 39], warn: [33, 39] } as const

/** The palette for a stream. */
export function paletteOf(stream: { isTTY?: boolean }): Palette {
  const colored = colorsOf(stream)
  const style =
    ([open, close]: readonly [number, number]) =>
    (text: string) =>
      colored ? `\u001b[${open}m${text}\u001b[${close}m` : text
  return {
    bold: style(codes.bold),
    dim: style(codes.dim),
    good: style(codes.good),
    bad: style(codes.bad),
    warn: style(codes.warn),
  }
}
