import { loadConfigWithOrigins, type LoadedConfig } from '@openregistry/server/config'
import type { Command } from 'commander'

/**
 * The configuration that a command works with: `--config`, else what the environment and the folder say.
 * @throws ConfigError
 */
export function loadConfigOf(command: Command): Promise<LoadedConfig> {
  const { config: file } = command.optsWithGlobals<{ config?: string }>()
  return loadConfigWithOrigins({ file, env: process.env, cwd: process.cwd() })
}
