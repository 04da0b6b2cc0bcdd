/** Everything the bench can measure. `bare` is a plain HTTP server without storage: it shows what the client can do. */
export type PeerId = 'openregistry' | 'distribution-2' | 'distribution-3' | 'zot' | 'bare'

/** How one registry is started. */
export interface Launch {
  command: string
  args: readonly string[]
  /** Added to the environment. */
  env: Readonly<Record<string, string>>
  /** Written before the start: path and content. */
  files: Readonly<Record<string, string>>
}

/** One registry of the comparison. */
export interface Peer {
  id: PeerId
  /** As the table names it. */
  label: string
  /** Where its program is, or why it is left out. */
  find(): Promise<{ program: string; version: string } | { missing: string }>
  /**
   * @param program what {@link find} gave
   * @param port on 127.0.0.1
   * @param folder empty, for its data and its configuration
   */
  launch(program: string, port: number, folder: string): Launch
}
