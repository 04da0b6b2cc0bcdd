import { readdirSync, readFileSync } from 'node:fs'

/** A process and everything it started, directly or not, by `/proc`; a process that has ended has none. */
export function processTree(root: number): number[] {
  const tree = [root]
  for (let index = 0; index < tree.length; index++) {
    const pid = tree[index]
    if (pid !== undefined) tree.push(...childrenOf(pid))
  }
  return tree
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .flatMap((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' '))
      .filter((child) => child !== '')
      .map(Number)
  } catch {
    return []
  }
}
