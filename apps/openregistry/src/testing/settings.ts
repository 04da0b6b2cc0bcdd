import type { Settings } from '@openregistry/core'

const hour = 3_600_000

/** Settings under which nothing expires while a test runs, and nothing is refused for its size. */
export const testSettings: Omit<Settings, 'backend'> = {
  defaultVisibility: 'public',
  namespaces: {},
  replicas: [],
  lease: hour,
  grace: hour,
  uploadLifetime: hour,
  limits: { manifest: 4_000_000, blob: 0, uploadsPerRepository: 0, tagsPerPush: 100, page: 1000 },
}
