import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { parseCpuSeconds, parseMemory, processTree, treeCpuSeconds, treeMemory } from './process-tree.ts'

describe('parseCpuSeconds', () => {
  test('adds own time and that of ended children, whatever the name of the command', () => {
    const stat = '42 (a (b) c) S 1 42 42 0 -1 4194560 900 800 0 0 150 50 25 75 20 0 11 0 100 1 2'
    expect(parseCpuSeconds(stat)).toBe(3)
  })
})

describe('parseMemory', () => {
  test('adds anonymous and shared memory and leaves mapped files out', () => {
    const status =
      'VmRSS:\t   900 kB\nRssAnon:\t   100 kB\nRssFile:\t   700 kB\nRssShmem:\t    20 kB\nThreads:\t1\n'
    expect(parseMemory(status)).toBe(120 * 1024)
  })
  test('of a process that has ended is nothing', () => {
    expect(parseMemory('')).toBe(0)
  })
})

describe.runIf(process.platform === 'linux')('processTree', () => {
  test('holds what the process started', async () => {
    const child = spawn('cat', { stdio: ['pipe', 'pipe', 'inherit'] })
    await once(child, 'spawn')
    try {
      expect(processTree(process.pid)).toContain(child.pid)
      expect(treeMemory(process.pid)).toBeGreaterThan(1024 * 1024)
      expect(treeCpuSeconds(process.pid)).toBeGreaterThan(0)
    } finally {
      child.kill()
      await once(child, 'exit')
    }
    expect(processTree(process.pid)).not.toContain(child.pid)
  })
})
