import type { Migration } from './index.ts'

/**
 * Tables that are asked for a few rows of a repository by their digests. To a planner that measured the repository and found
 * it small, or did not find it at all, reading all of its rows looks as cheap; the plan is then used while the repository
 * grows. Without a measure every repository counts as large.
 */
export const unmeasuredRepositories: Migration = {
  version: 10,
  name: 'unmeasured-repositories',
  worksFrom: 5,
  statements: ({ unmeasured }) =>
    ['repository_blobs', 'manifests', 'manifest_refs'].flatMap((table) => unmeasured(table, 'repository_id')),
}
