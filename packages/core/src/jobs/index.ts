export type { JobKind, JobReport, JobRun } from './job-kind.ts'
export {
  retryDelay,
  startJobs,
  type JobObserver,
  type JobOutcome,
  type JobRunner,
  type JobRunnerOptions,
} from './job-runner.ts'
