/**
 * The keys of the names that repositories have in IPNS. Each follows from the id of its repository, so nothing is stored,
 * and all servers of a registry have the same (ADR 15).
 */
export interface NameKeys {
  /** The Ed25519 key that is the name, 32 bytes. */
  publicKey(repositoryId: string): Uint8Array
  /** Signs with the key of a repository. @returns 64 bytes. */
  sign(repositoryId: string, message: Uint8Array): Uint8Array
}
