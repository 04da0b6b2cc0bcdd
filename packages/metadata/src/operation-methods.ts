import {
  operations,
  reads,
  type OperationInput,
  type OperationName,
  type OperationResult,
  type ReadName,
} from './operations.ts'

/** What runs operations: an engine with its connections. */
export interface Engine {
  /** Runs a read, which sees everything that was acknowledged before. */
  read<N extends ReadName>(name: N, ...input: OperationInput<N>): Promise<OperationResult<N>>
  /** Runs a step in a transaction. Resolves once what it did is durable. */
  step<N extends OperationName>(name: N, ...input: OperationInput<N>): Promise<OperationResult<N>>
}

/** The methods of the port that are operations, under their names. What each does is in the file of its name. */
export type OperationMethods = {
  readonly [N in OperationName]: (...input: OperationInput<N>) => Promise<OperationResult<N>>
}

/** Binds every operation to an engine. */
export function operationMethods(engine: Engine): OperationMethods {
  const methods: Record<string, unknown> = {}
  for (const name of Object.keys(operations) as OperationName[]) {
    methods[name] = isRead(name)
      ? (...input: OperationInput<typeof name>) => engine.read(name, ...input)
      : (...input: OperationInput<typeof name>) => engine.step(name, ...input)
  }
  return methods as OperationMethods
}

function isRead(name: OperationName): name is ReadName {
  return Object.hasOwn(reads, name)
}
