/** Files whose names are to be removed, in one message: to wake a thread costs more than to remove a file. */
export interface RemovalRequest {
  id: number
  paths: readonly string[]
}

/** What the system said against it; an error of Node loses its code between threads. */
export interface RemovalFault {
  code: string
  message: string
}

/** One for each path, in order; null where the name is gone. */
export interface RemovalAnswer {
  id: number
  faults: readonly (RemovalFault | null)[]
}
