import type { Cid } from '@openregistry/dag'
import type { CarFile } from './car-file.ts'

/** What a CAR says of itself. */
type Link = Pick<CarFile, 'name' | 'root' | 'bases'>

/** A CAR goes on from a snapshot that is in none of the others. */
export interface LackingBase {
  car: string
  base: Cid
}

/** Of CARs that go on from each other those from which no other goes on; one, if they belong together. */
export function newestOf<T extends Link>(cars: readonly T[]): T[] {
  return cars.filter(({ root }) => !cars.some(({ bases }) => bases.includes(root)))
}

/** Which snapshots are missing to read this one whole. In which order the CARs are given does not matter. */
export function lackingFor(root: Cid, cars: readonly Link[]): LackingBase[] {
  const lacking: LackingBase[] = []
  const roots = new Set([root])
  // A set that grows while it is gone through gives what was added, too.
  for (const wanted of roots) {
    for (const { name, bases } of cars.filter((car) => car.root === wanted)) {
      for (const base of bases) {
        if (roots.has(base)) continue
        roots.add(base)
        if (!cars.some((car) => car.root === base)) lacking.push({ car: name, base })
      }
    }
  }
  return lacking
}
