const blockSize = 512

/** A file of an archive. */
export interface TarEntry {
  /** Path inside of the archive, at most 100 bytes. */
  path: string
  bytes: Uint8Array
  /** Permission bits; 0o644 when it is not said. */
  mode?: number
}

/** Octal digits that fill a field of a header, with the NUL that ends it. */
function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, '0')}\0`
}

function headerOf(entry: TarEntry): Buffer {
  const header = Buffer.alloc(blockSize)
  if (Buffer.byteLength(entry.path) > 100) throw new Error(`Too long for a plain tar header: ${entry.path}`)
  header.write(entry.path, 0)
  header.write(octal(entry.mode ?? 0o644, 8), 100)
  header.write(octal(0, 8), 108)
  header.write(octal(0, 8), 116)
  header.write(octal(entry.bytes.length, 12), 124)
  header.write(octal(0, 12), 136)
  header.write('        ', 148)
  header.write('0', 156)
  header.write('ustar\x0000', 257)
  let sum = 0
  for (const byte of header) sum += byte
  header.write(`${octal(sum, 7)} `, 148)
  return header
}

/** A tar archive (POSIX ustar) of plain files owned by root, dated 1970: the same bytes for the same entries. */
export function tarOf(entries: readonly TarEntry[]): Buffer {
  const blocks: Uint8Array[] = []
  for (const entry of entries) {
    blocks.push(headerOf(entry), entry.bytes)
    const rest = entry.bytes.length % blockSize
    if (rest > 0) blocks.push(Buffer.alloc(blockSize - rest))
  }
  blocks.push(Buffer.alloc(2 * blockSize))
  return Buffer.concat(blocks)
}
