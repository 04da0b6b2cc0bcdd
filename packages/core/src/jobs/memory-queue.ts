import type { JobLease, JobQueue, JobRecord, LeasedJob, NewJob } from '../ports/jobs.ts'

interface Stored extends LeasedJob {
  runAfter: number
  leasedUntil: number
  token: string | null
  error: string | null
  failed: boolean
}

/** A queue for tests of the runner, on their clock. What a real one promises is in the contract suite of the testkit. */
export class MemoryQueue implements JobQueue {
  readonly jobs: Stored[] = []
  /** While it is set, every request fails with it. */
  fault: Error | null = null
  #lastId = 0

  async enqueueJob({ kind, key, payload, delay }: NewJob): Promise<void> {
    await this.#answer()
    this.#add({ kind, key, payload, delay })
  }

  #add({ kind, key, payload, delay }: NewJob): void {
    const runAfter = performance.now() + delay
    const id = ++this.#lastId
    const fresh = { attempts: 0, leasedUntil: 0, token: null, error: null, failed: false }
    this.jobs.push({ id, kind, key, payload, runAfter, ...fresh })
  }

  async scheduleJob(kind: string, delay: number): Promise<void> {
    await this.#answer()
    if (!this.jobs.some((job) => job.kind === kind)) this.#add({ kind, key: '', payload: '', delay })
  }

  async leaseJob(input: {
    kinds: readonly string[]
    token: string
    lease: number
  }): Promise<LeasedJob | null> {
    await this.#answer()
    const now = performance.now()
    const due = this.jobs.find(
      ({ kind, failed, runAfter, leasedUntil }) =>
        input.kinds.includes(kind) && !failed && runAfter <= now && leasedUntil <= now,
    )
    if (due === undefined) return null
    due.attempts++
    due.token = input.token
    due.leasedUntil = now + input.lease
    const { id, kind, key, payload, attempts } = due
    return { id, kind, key, payload, attempts }
  }

  async extendJob(held: JobLease, lease: number): Promise<boolean> {
    return this.#change(held, (job) => (job.leasedUntil = performance.now() + lease))
  }

  async finishJob(held: JobLease, again: number | null): Promise<boolean> {
    return this.#change(held, (job) => {
      if (again === null) this.jobs.splice(this.jobs.indexOf(job), 1)
      const runAfter = performance.now() + (again ?? 0)
      Object.assign(job, { runAfter, attempts: 0, leasedUntil: 0, token: null, error: null })
    })
  }

  async failJob(held: JobLease, error: string, retry: number | null): Promise<boolean> {
    return this.#change(held, (job) => {
      const runAfter = performance.now() + (retry ?? 0)
      Object.assign(job, { runAfter, leasedUntil: 0, token: null, error, failed: retry === null })
    })
  }

  async listJobs(): Promise<JobRecord[]> {
    await this.#answer()
    return this.jobs.map(({ id, kind, key, runAfter, attempts, error, failed, token }) => {
      const state = failed ? 'failed' : token === null ? 'waiting' : 'running'
      return { id, kind, key, state, runAfter, attempts, error }
    })
  }

  async #change({ id, token }: JobLease, change: (job: Stored) => void): Promise<boolean> {
    await this.#answer()
    const job = this.jobs.find((one) => one.id === id && one.token === token)
    if (job === undefined) return false
    change(job)
    return true
  }

  async #answer(): Promise<void> {
    if (this.fault !== null) throw this.fault
  }
}
