import { join } from 'node:path'
import { peerPath, type PeerName } from './peers.ts'

/** What a registry is started with. */
export interface RegistryOptions {
  /** Where it keeps everything. */
  dataDir: string
  host: string
  port: number
  /** PEM files; with them it speaks HTTPS. */
  tls?: { cert: string; key: string }
  /** A file of htpasswd; with it it asks for passwords. */
  usersFile?: string
  /** OpenRegistry alone: more settings, as variables of the environment. */
  settings?: Readonly<Record<string, string>>
}

/** How a kind of registry is started. */
export interface RegistryLaunch {
  command: string
  args: readonly string[]
  env: Readonly<Record<string, string>>
  /** Written before the start, by name in the registry's own folder. */
  files: Readonly<Record<string, string>>
  /** The path that answers 200 (or 401) once it serves. */
  readyPath: string
}

/** Registries that the tests can start: ours, and those that people come from. */
export type RegistryKind = 'openregistry' | 'distribution' | 'docker-registry' | 'zot'

/** The command of this checkout, or another one that `OPENREGISTRY_BIN` names. */
export const ownCommand =
  process.env['OPENREGISTRY_BIN'] ?? join(import.meta.dirname, '../../bin/openregistry')

/** How to start a registry of this kind. `folder` is where its configuration will be written. */
export function launchOf(kind: RegistryKind, options: RegistryOptions, folder: string): RegistryLaunch {
  if (kind === 'openregistry') return ownLaunch(options)
  return kind === 'zot' ? zotLaunch(options, folder) : distributionLaunch(kind, options, folder)
}

function ownLaunch({ dataDir, host, port, tls, usersFile, settings }: RegistryOptions): RegistryLaunch {
  return {
    command: ownCommand,
    args: ['serve'],
    env: {
      OPEN_REGISTRY_DATA_DIR: dataDir,
      OPEN_REGISTRY_HTTP_HOST: host,
      OPEN_REGISTRY_HTTP_PORT: String(port),
      ...(tls && { OPEN_REGISTRY_HTTP_TLS_CERT: tls.cert, OPEN_REGISTRY_HTTP_TLS_KEY: tls.key }),
      ...(usersFile && { OPEN_REGISTRY_AUTH_USERS_FILE: usersFile }),
      ...settings,
    },
    files: {},
    readyPath: '/readyz',
  }
}

function distributionLaunch(kind: PeerName, options: RegistryOptions, folder: string): RegistryLaunch {
  const { dataDir, host, port, tls, usersFile } = options
  const configuration = {
    version: '0.1',
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: dataDir }, delete: { enabled: true } },
    http: { addr: `${host}:${port}`, ...(tls && { tls: { certificate: tls.cert, key: tls.key } }) },
    ...(usersFile && { auth: { htpasswd: { realm: 'registry', path: usersFile } } }),
  }
  return {
    command: peerPath(kind),
    args: ['serve', join(folder, 'config.yml')],
    env: { OTEL_TRACES_EXPORTER: 'none' },
    // JSON is YAML.
    files: { 'config.yml': JSON.stringify(configuration) },
    readyPath: '/v2/',
  }
}

function zotLaunch(options: RegistryOptions, folder: string): RegistryLaunch {
  const { dataDir, host, port, tls, usersFile } = options
  const configuration = {
    distSpecVersion: '1.1.1',
    storage: { rootDirectory: dataDir, gc: false, dedupe: true },
    http: {
      address: host,
      port: String(port),
      ...(tls && { tls }),
      ...(usersFile && { auth: { htpasswd: { path: usersFile } } }),
    },
    log: { level: 'error' },
  }
  return {
    command: peerPath('zot'),
    args: ['serve', join(folder, 'config.json')],
    env: {},
    files: { 'config.json': JSON.stringify(configuration) },
    readyPath: '/v2/',
  }
}
