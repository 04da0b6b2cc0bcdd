/** Backends by the name that they have in `dfs.default`, and in what lists or maps backends. */
export const backendNames = ['disk', 'kubo', 'cluster', 's3', 'storj', 'filebase', 'skynet'] as const

/** One of {@link backendNames}. */
export type BackendName = (typeof backendNames)[number]
