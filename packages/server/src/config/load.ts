import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { readEnvironment } from './environment.ts'
import { fieldsOf } from './field.ts'
import { interpret } from './interpret.ts'
import { ConfigError, type Origin, type Problem } from './problem.ts'
import { applyRules } from './rules.ts'
import { tree, type Config } from './tree.ts'
import type { YamlReading } from './yaml-file.ts'

/** Where to look for a configuration. */
export interface ConfigSources {
  /** The file of `--config`; else that of OPEN_REGISTRY_CONFIG, else `openregistry.yaml` if it is there. */
  file?: string | undefined
  env: Readonly<Record<string, string | undefined>>
  /** The folder that relative paths begin at. */
  cwd: string
}

/** A configuration, and where each of its values came from. */
export interface LoadedConfig {
  config: Config
  origins: ReadonlyMap<string, Origin>
  /** The file that was read, as it was named, or null. */
  file: string | null
}

/**
 * Reads the configuration: defaults, then the file, then the environment. Reads files, changes nothing.
 * @throws ConfigError with everything that is wrong.
 */
export async function loadConfig(sources: ConfigSources): Promise<Config> {
  return (await loadConfigWithOrigins(sources)).config
}

/** Like {@link loadConfig}, and says where each value came from. */
export async function loadConfigWithOrigins({ file: named, env, cwd }: ConfigSources): Promise<LoadedConfig> {
  const file = await readConfigFile(named ?? (env['OPEN_REGISTRY_CONFIG'] || undefined), cwd)
  const variables = readEnvironment(env, tree)
  const layers = [file.values, variables.values]
  const { values, origins, problems } = await interpret(tree, layers, { cwd })
  const mistakes = [...file.problems, ...variables.problems, ...problems]
  // Contradictions are looked for only between values that are good by themselves.
  if (mistakes.length > 0) throw new ConfigError(inOrder(mistakes))
  const { config, problems: contradictions } = applyRules(values as Config, origins)
  if (contradictions.length > 0) throw new ConfigError(inOrder(contradictions))
  return { config, origins, file: file.name }
}

async function readConfigFile(
  named: string | undefined,
  cwd: string,
): Promise<YamlReading & { name: string | null }> {
  const name = named ?? 'openregistry.yaml'
  let text: string
  try {
    text = await readFile(resolve(cwd, name), 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && named === undefined) return { name: null, values: [], problems: [] }
    const why = code === 'ENOENT' ? 'there is no such file' : message
    throw new ConfigError([
      { key: null, origin: { kind: 'file', file: name, line: 1, column: 1 }, message: why },
    ])
  }
  const { readYaml } = await import('./yaml-file.ts')
  const keys = [...fieldsOf(tree)].map(([key]) => key)
  return { name, ...readYaml(text, name, tree, keys) }
}

/** Problems of the file by line, then those of the environment. */
function inOrder(problems: readonly Problem[]): Problem[] {
  const rank = ({ origin }: Problem) =>
    origin.kind === 'file' ? origin.line + origin.column / 1e6 : Infinity
  return problems.toSorted((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b)))
}
