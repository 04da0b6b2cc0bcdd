import { bucketCrashes, troubledBucket } from './bucket.ts'
import { cutConnections, databaseAway, databaseAwayLong } from './database.ts'
import { failingOperations, failingSteps, sleepingWriter, troubledBackend } from './failing.ts'
import { fullBlobs, fullDatabase } from './full-disk.ts'
import { killSupervisor, killWorker } from './kill-process.ts'
import { cutPower, killAnywhere, killAtPoint } from './kill.ts'
import { pauseProcess, pauseProcessLong } from './pause-process.ts'
import { clusterCrashes, troubledCluster } from './ipfs-cluster.ts'
import { kuboCollects, kuboCrashes, kuboStandsStill, troubledKubo } from './kubo.ts'
import type { Fault } from './stage.ts'
import { unmountedBlobs } from './unmounted.ts'

export type { Fault, Stage } from './stage.ts'

/** Everything that goes wrong; those that showed most bugs come more often. */
export const allFaults: readonly Fault[] = [
  killAtPoint,
  killAtPoint,
  killAnywhere,
  cutPower,
  cutPower,
  failingSteps,
  failingSteps,
  failingOperations,
  sleepingWriter,
  sleepingWriter,
  troubledBackend,
  fullBlobs,
  fullDatabase,
  unmountedBlobs,
  cutConnections,
  databaseAway,
  pauseProcess,
  killWorker,
  killWorker,
  killSupervisor,
  bucketCrashes,
  bucketCrashes,
  troubledBucket,
  troubledBucket,
  kuboCrashes,
  kuboCrashes,
  troubledKubo,
  troubledKubo,
  kuboStandsStill,
  kuboCollects,
  clusterCrashes,
  clusterCrashes,
  troubledCluster,
  troubledCluster,
]

/** What takes too long for an ordinary run: only by name. */
export const longFaults: readonly Fault[] = [databaseAwayLong, pauseProcessLong]

/** Those that need a file system of their own. */
export const fullDisks: readonly Fault[] = [fullBlobs, fullDatabase]

/** Kills alone, for the promise that so many of them lose nothing. */
export const kills: readonly Fault[] = [killAtPoint, killAnywhere]
