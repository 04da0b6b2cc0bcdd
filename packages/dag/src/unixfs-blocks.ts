import { unixfsLeafSize, unixfsLevels, unixfsLinks } from './unixfs-shape.ts'

/** A block of the tree over a file, by its place. */
export interface UnixfsPlace {
  /** 0 for leaves, 1 just above them. */
  level: number
  /** In its level, from 0. */
  index: number
}

/**
 * Which blocks of a file are needed to read some of its bytes and to verify them: the root, and whatever lies between it
 * and the leaves with those bytes. In the order of a depth-first walk, in which leaves come by their offset.
 * @param size of the file in bytes.
 * @param range in bytes; the part of it that lies outside of the file is left out, and of no bytes the root alone is needed.
 */
export function* unixfsBlocks(
  size: number,
  range: { offset: number; length: number } = { offset: 0, length: size },
): Generator<UnixfsPlace, void, undefined> {
  const counts = unixfsLevels(size)
  const root = counts.length - 1
  const end = Math.min(size, range.offset + range.length)
  yield { level: root, index: 0 }
  if (root === 0 || range.offset >= end) return
  yield* below(root, 0, Math.floor(range.offset / unixfsLeafSize), Math.floor((end - 1) / unixfsLeafSize))
}

/** The blocks under a node that lead to leaves from `first` to `last`. */
function* below(
  level: number,
  index: number,
  first: number,
  last: number,
): Generator<UnixfsPlace, void, undefined> {
  const span = unixfsLinks ** (level - 1)
  const from = Math.max(index * unixfsLinks, Math.floor(first / span))
  const to = Math.min((index + 1) * unixfsLinks - 1, Math.floor(last / span))
  for (let child = from; child <= to; child++) {
    yield { level: level - 1, index: child }
    if (level > 1) yield* below(level - 1, child, first, last)
  }
}
