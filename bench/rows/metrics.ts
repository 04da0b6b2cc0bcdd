import type { Budget, Metric } from './row.ts'

/** Operations a second. */
export function rate(title: string, ...budgets: Budget[]): Metric {
  return {
    title,
    unit: '1/s',
    better: 'higher',
    budgets,
    value: ({ operations, seconds }) => operations / seconds,
  }
}

/** Content moved a second. */
export function throughput(title: string, ...budgets: Budget[]): Metric {
  return {
    title,
    unit: 'MiB/s',
    better: 'higher',
    budgets,
    value: ({ bytes, seconds }) => bytes / seconds / 1024 ** 2,
  }
}

/** 99th percentile of the latency of one operation. */
export function slowest(title: string, ...budgets: Budget[]): Metric {
  return { title, unit: 'ms', better: 'lower', budgets, value: ({ p99 }) => p99 }
}

/** Largest private and shared memory of the process tree. */
export function peakMemory(title: string, ...budgets: Budget[]): Metric {
  return { title, unit: 'MB', better: 'lower', budgets, value: (sample) => sample.peakMemory / 1e6 }
}

/** What each of `count` operations at the same time took above the idle process tree. */
export function memoryOfEach(
  title: string,
  count: (operations: number) => number,
  ...budgets: Budget[]
): Metric {
  return {
    title,
    unit: 'MB',
    better: 'lower',
    budgets,
    value: ({ peakMemory: peak, idleMemory, operations }) => (peak - idleMemory) / count(operations) / 1e6,
  }
}

/** Private and shared memory of the process tree with nothing to do. */
export function idleMemory(title: string, ...budgets: Budget[]): Metric {
  return { title, unit: 'MB', better: 'lower', budgets, value: (sample) => sample.idleMemory / 1e6 }
}

/** Time that the whole operation took. */
export function duration(title: string, ...budgets: Budget[]): Metric {
  return { title, unit: 's', better: 'lower', budgets, value: ({ seconds }) => seconds }
}

/** At least so many times the best peer of the run. */
export function best(atLeast: number, aim?: number): Budget {
  return aim === undefined ? { kind: 'ratio', atLeast } : { kind: 'ratio', atLeast, aim }
}

/** At most so much, whatever the peers do. */
export function atMost(limit: number): Budget {
  return { kind: 'absolute', atMost: limit }
}

/** On the large registry at least so much of what is reached on the small one. */
export function growth(atLeast: number): Budget {
  return { kind: 'growth', atLeast }
}
