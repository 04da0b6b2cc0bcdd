import { basename, dirname } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'

/** What can be asked of a {@link RecordingFileLayer}. */
export type FileOperation =
  | 'create'
  | 'open'
  | 'size'
  | 'unlink'
  | 'makeFolder'
  | 'syncFolder'
  | 'names'
  | 'read'
  | 'write'
  | 'datasync'
  | 'close'

/** Settings of a {@link RecordingFileLayer}. */
export interface RecordingOptions {
  /** Decides in which order operations end that are under way together; null: each as soon as it can. */
  seed?: number | null
  /** Called before each operation; what it throws is the operation's error. */
  before?: (operation: FileOperation, path: string) => void
  /** Syncs that claim success and do nothing: to prove that a test notices. */
  ignored?: readonly ('syncFolder' | 'datasync')[]
  /** Bytes that one write takes at most. */
  largestWrite?: number
}

/** What was on the disk from a step on. */
interface Synced<T> {
  step: number
  state: T
}

interface FileNode {
  kind: 'file'
  bytes: Uint8Array
  synced: Synced<Uint8Array>[]
  /** After a failed sync the kernel forgets the pages it could not write: later syncs succeed and prove nothing. */
  lost: boolean
}

interface FolderNode {
  kind: 'folder'
  entries: Map<string, Node>
  synced: Synced<ReadonlyMap<string, Node>>[]
}

type Node = FileNode | FolderNode

/** An error as the operating system reports it. */
export function errno(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code })
}

/**
 * Files in memory that remember what was synced and when, under the disk driver in the place of the operating system's
 * (it has the shape of the driver's `FileLayer`). A file's bytes and its name in the folder are two things, each kept
 * through a power cut only if it was synced: bytes by a sync of the file that began after they were written, names by a
 * sync of the folder that began after they were made.
 *
 * Every beginning and end of an operation is a step. {@link afterCut} gives the disk as it is found after the power was
 * cut at a step.
 */
export class RecordingFileLayer {
  readonly #options: RecordingOptions
  readonly #root: FolderNode
  #steps = 0
  #openFiles = 0
  #random: number

  constructor(options: RecordingOptions = {}, root: FolderNode = folder()) {
    this.#options = options
    this.#random = options.seed ?? 0
    this.#root = root
  }

  /** Steps up to now. */
  get steps(): number {
    return this.#steps
  }

  /** Files that are open now. */
  get openFiles(): number {
    return this.#openFiles
  }

  /** The disk after a power cut at that step: of what was not synced, nothing is left. */
  afterCut(step: number): RecordingFileLayer {
    const root = survivor(this.#root, step)
    if (root.kind !== 'folder') throw new Error('the root is a folder')
    return new RecordingFileLayer({}, root)
  }

  async create(path: string): Promise<RecordedFile> {
    return this.#perform('create', path, () => {
      const { entries } = this.#folder(dirname(path))
      if (entries.has(basename(path))) throw errno('EEXIST', path)
      const node: FileNode = { kind: 'file', bytes: new Uint8Array(0), synced: [], lost: false }
      entries.set(basename(path), node)
      return this.#opened(path, node)
    })
  }

  async open(path: string): Promise<RecordedFile> {
    return this.#perform('open', path, () => this.#opened(path, this.#file(path)))
  }

  async size(path: string): Promise<number> {
    return this.#perform('size', path, () => this.#file(path).bytes.length)
  }

  async unlink(path: string): Promise<void> {
    return this.#perform('unlink', path, () => {
      this.#file(path)
      this.#folder(dirname(path)).entries.delete(basename(path))
    })
  }

  async makeFolder(path: string): Promise<string | null> {
    return this.#perform('makeFolder', path, () => {
      let at = this.#root
      let topmost: string | null = null
      let made = ''
      for (const name of path.split('/').filter((part) => part !== '')) {
        made += `/${name}`
        let next = at.entries.get(name)
        if (next === undefined) {
          topmost ??= made
          next = folder()
          at.entries.set(name, next)
        }
        if (next.kind !== 'folder') throw errno('ENOTDIR', made)
        at = next
      }
      return topmost
    })
  }

  async syncFolder(path: string): Promise<void> {
    let names: ReadonlyMap<string, Node> | undefined
    const begin = (): void => {
      names = new Map(this.#folder(path).entries)
    }
    await this.#perform(
      'syncFolder',
      path,
      () => {
        if (names !== undefined) this.#folder(path).synced.push({ step: this.#steps, state: names })
      },
      begin,
    )
  }

  async *names(path: string): AsyncGenerator<string, void, undefined> {
    yield* await this.#perform('names', path, () => [...this.#folder(path).entries.keys()])
  }

  /** Runs one operation in two steps, other operations in between. `begin` runs at the first one. */
  async #perform<T>(operation: FileOperation, path: string, end: () => T, begin?: () => void): Promise<T> {
    this.#steps += 1
    this.#options.before?.(operation, path)
    const ignored =
      (this.#options.ignored as readonly FileOperation[] | undefined)?.includes(operation) === true
    if (!ignored) begin?.()
    await this.#others()
    this.#steps += 1
    return end()
  }

  /** Lets other operations go on, for a while that the seed decides. */
  async #others(): Promise<void> {
    if (this.#options.seed === undefined || this.#options.seed === null) return
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0
    // Mostly a few turns, at times so many that others come and go meanwhile.
    const longest = this.#random >>> 28 === 0 ? 60 : 4
    for (let turns = (this.#random >>> 8) % longest; turns > 0; turns--) await turn()
  }

  #folder(path: string): FolderNode {
    let at: Node | undefined = this.#root
    for (const name of path.split('/').filter((part) => part !== '')) {
      at = at.kind === 'folder' ? at.entries.get(name) : undefined
      if (at === undefined) throw errno('ENOENT', path)
    }
    if (at.kind !== 'folder') throw errno('ENOTDIR', path)
    return at
  }

  #file(path: string): FileNode {
    const node = this.#folder(dirname(path)).entries.get(basename(path))
    if (node === undefined) throw errno('ENOENT', path)
    if (node.kind !== 'file') throw errno('EISDIR', path)
    return node
  }

  #opened(path: string, node: FileNode): RecordedFile {
    this.#openFiles += 1
    let closed = false
    const perform = <T>(operation: FileOperation, end: () => T, begin?: () => void): Promise<T> => {
      if (closed) return Promise.reject(errno('EBADF', path))
      return this.#perform(operation, path, end, begin)
    }
    return {
      size: () => perform('size', () => node.bytes.length),
      read: (into, length, position) => perform('read', () => readBytes(node, into, length, position)),
      write: (bytes, position) => {
        const taken = bytes.subarray(0, this.#options.largestWrite ?? bytes.length)
        return perform('write', () => writeBytes(node, taken, position))
      },
      datasync: async () => {
        let bytes: Uint8Array | undefined
        const keep = (): void => {
          if (bytes !== undefined && !node.lost) node.synced.push({ step: this.#steps, state: bytes })
        }
        try {
          await perform('datasync', keep, () => (bytes = node.bytes.slice()))
        } catch (error) {
          node.lost = true
          throw error
        }
      },
      close: async () => {
        await perform('close', () => undefined)
        closed = true
        this.#openFiles -= 1
      },
    }
  }
}

/** An open file of a {@link RecordingFileLayer}. */
export interface RecordedFile {
  size(): Promise<number>
  read(into: Uint8Array, length: number, position: number): Promise<number>
  write(bytes: Uint8Array, position: number): Promise<number>
  datasync(): Promise<void>
  close(): Promise<void>
}

function folder(): FolderNode {
  return { kind: 'folder', entries: new Map(), synced: [] }
}

function readBytes(node: FileNode, into: Uint8Array, length: number, position: number): number {
  const bytes = node.bytes.subarray(position, position + length)
  into.set(bytes)
  return bytes.length
}

function writeBytes(node: FileNode, bytes: Uint8Array, position: number): number {
  if (position + bytes.length > node.bytes.length) {
    const longer = new Uint8Array(position + bytes.length)
    longer.set(node.bytes)
    node.bytes = longer
  }
  node.bytes.set(bytes, position)
  return bytes.length
}

/** What is left of a node after a cut: the state of its last sync, or nothing. */
function survivor(node: Node, step: number): Node {
  if (node.kind === 'file') {
    const bytes = lastSynced(node.synced, step)?.slice() ?? new Uint8Array(0)
    return { kind: 'file', bytes, synced: [{ step: 0, state: bytes.slice() }], lost: false }
  }
  const names = lastSynced(node.synced, step) ?? new Map<string, Node>()
  const entries = new Map([...names].map(([name, child]) => [name, survivor(child, step)]))
  return { kind: 'folder', entries, synced: [{ step: 0, state: new Map(entries) }] }
}

function lastSynced<T>(synced: readonly Synced<T>[], step: number): T | undefined {
  return synced.findLast((one) => one.step <= step)?.state
}
