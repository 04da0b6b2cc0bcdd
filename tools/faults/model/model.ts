import { RepositoryModel, type Promises } from './repository-model.ts'

/** What is true of the whole registry. */
export class Model {
  readonly repositories: ReadonlyMap<string, RepositoryModel>

  constructor(names: readonly string[], promises: Promises) {
    this.repositories = new Map(names.map((name) => [name, new RepositoryModel(name, promises)]))
  }

  repository(name: string): RepositoryModel {
    const repository = this.repositories.get(name)
    if (repository === undefined) throw new Error(`The model does not know the repository ${name}.`)
    return repository
  }

  /** Nothing is under way any more: what has not happened by now never will. */
  settle(): void {
    for (const repository of this.repositories.values()) repository.settle()
  }
}
