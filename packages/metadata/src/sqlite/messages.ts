import { inspect } from 'node:util'
import { RegistryError, type ErrorCode } from '@openregistry/oci'
import type { OperationName } from '../operations.ts'

/** What the store asks of its writer thread. */
export interface WriterRequest {
  id: number
  operation: OperationName
  /** After the tag that makes queries. */
  input: readonly unknown[]
  /** Roughly how many bytes the input has. */
  weight: number
}

/** Ends the thread once everything before it is done. */
export interface WriterStop {
  stop: true
}

/** A RegistryError on its way between threads. */
export interface WrittenError {
  code: ErrorCode
  message: string
  detail: unknown
  /** Text of what went wrong underneath. */
  cause: string | null
}

/** What became of a request. */
export type WriterResult = { id: number; value: unknown } | { id: number; error: WrittenError }

/** What a writer thread is started with. */
export interface WriterSettings {
  file: string
  autoMigrate: boolean
  /** How long a group of steps waits for another process, in milliseconds. */
  lockTimeout: number
}

/** Takes an error apart for the way between threads. */
export function writeError(error: RegistryError): WrittenError {
  const { cause } = error
  return {
    code: error.code,
    message: error.message,
    detail: error.detail,
    cause:
      cause === undefined ? null : cause instanceof Error ? (cause.stack ?? cause.message) : inspect(cause),
  }
}

/** Puts it together again; its stack is that of the caller. */
export function readError({ code, message, detail, cause }: WrittenError): RegistryError {
  return new RegistryError(code, message, { detail, ...(cause === null ? {} : { cause }) })
}
