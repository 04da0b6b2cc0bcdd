export {
  repair,
  type Repaired,
  type RepairedPlace,
  type RepairOptions,
  type UnrepairedPlace,
} from './repair.ts'
export { repairJob } from './repair-job.ts'
