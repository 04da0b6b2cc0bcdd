import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads'
import { checkpoint } from './checkpoint.ts'
import { Connection, configureWriter } from './connection.ts'
import { toRegistryError } from './faults.ts'
import { runGroup } from './group.ts'
import {
  writeError,
  type WriterRequest,
  type WriterResult,
  type WriterSettings,
  type WriterStop,
} from './messages.ts'
import { requireSchema } from './schema.ts'

/*
 * The thread that owns the only writing connection. Everything that waits when it gets its turn shares one commit, and
 * is answered after it.
 */

/** Bounds of one group: beyond them its first step would wait too long. */
const stepsAtMost = 256
const bytesAtMost = 8 * 1024 * 1024

const settings = workerData as WriterSettings
if (parentPort === null) throw new Error('This file runs as a worker thread.')
const port: MessagePort = parentPort

let connection: Connection | null = null

/** The connection, opened when it is first needed, and again after a failure. */
function connect(): Connection {
  if (connection !== null) return connection
  const opened = new Connection(settings.file, { readOnly: false, timeout: settings.lockTimeout })
  try {
    requireSchema(opened.database, settings)
    configureWriter(opened)
  } catch (error) {
    opened[Symbol.dispose]()
    throw error
  }
  return (connection = opened)
}

/** The request that woke the thread, and all that wait behind it. */
function gather(head: WriterRequest): { group: WriterRequest[]; stop: boolean; idle: boolean } {
  const group = [head]
  let weight = head.weight
  while (group.length < stepsAtMost && weight < bytesAtMost) {
    const next = receiveMessageOnPort(port) as { message: WriterRequest | WriterStop } | undefined
    if (next === undefined) return { group, stop: false, idle: true }
    if ('stop' in next.message) return { group, stop: true, idle: false }
    group.push(next.message)
    weight += next.message.weight
  }
  return { group, stop: false, idle: false }
}

function run(group: readonly WriterRequest[]): WriterResult[] {
  try {
    return runGroup(connect(), group)
  } catch (error) {
    const written = writeError(toRegistryError(error))
    return group.map(({ id }) => ({ id, error: written }))
  }
}

port.on('message', (message: WriterRequest | WriterStop) => {
  if ('stop' in message) return stop()
  const { group, stop: last, idle } = gather(message)
  port.postMessage(run(group))
  if (last) return stop()
  if (connection !== null) checkpoint(connection, idle)
})

function stop(): void {
  connection?.[Symbol.dispose]()
  connection = null
  port.close()
}
