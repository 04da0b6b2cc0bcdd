import type { PeerName } from '../support/peers.ts'

/** A file that says the same as a switch, once for all commands. */
export interface SettingsFile {
  /** Where it belongs. */
  path: string
  /** Its content; `HOST:5000` stands for the registry. */
  content: readonly string[]
  /** What makes the program read it, where that is not said by the command. */
  reload?: string
}

/** How one client is told that a registry has no TLS. `REGISTRY` stands for its address, `SWITCH` for the switch. */
export interface PlainHttpLine {
  client: PeerName
  /** A command of everyday use. */
  command: string
  /** The switch with `127.0.0.1:5000`; null: none is needed. */
  here: string | null
  /** The switch with a registry on another machine; null: there is none. */
  elsewhere: string | null
  /** Instead of, or, where it needs one, together with the switch {@link fileSwitch}. */
  file?: SettingsFile
  fileSwitch?: string
}

const noVerification = '--tls-verify=false'

const registriesConf: SettingsFile = {
  path: '/etc/containers/registries.conf',
  content: ['[[registry]]', 'location = "HOST:5000"', 'insecure = true'],
}

/** Which switch each client needs for plain HTTP. The test runs every line; the README has the same table. */
export const plainHttpTable: readonly PlainHttpLine[] = [
  {
    client: 'docker',
    command: 'docker push REGISTRY/me/app:1',
    here: null,
    elsewhere: null,
    file: {
      path: '/etc/docker/daemon.json',
      content: ['{ "insecure-registries": ["HOST:5000"] }'],
      reload: 'systemctl reload docker',
    },
  },
  {
    client: 'podman',
    command: 'podman push SWITCH REGISTRY/me/app:1',
    here: noVerification,
    elsewhere: noVerification,
    file: registriesConf,
  },
  {
    client: 'buildah',
    command: 'buildah push SWITCH REGISTRY/me/app:1',
    here: noVerification,
    elsewhere: noVerification,
    file: registriesConf,
  },
  {
    client: 'skopeo',
    command: 'skopeo copy SWITCH oci:app:1 docker://REGISTRY/me/app:1',
    here: '--dest-tls-verify=false',
    elsewhere: '--dest-tls-verify=false',
  },
  {
    client: 'skopeo',
    command: 'skopeo inspect SWITCH docker://REGISTRY/me/app:1',
    here: noVerification,
    elsewhere: noVerification,
  },
  {
    client: 'ctr',
    command: 'ctr images pull SWITCH REGISTRY/me/app:1',
    here: null,
    elsewhere: '--plain-http',
    file: {
      path: '/etc/containerd/certs.d/HOST:5000/hosts.toml',
      content: [
        'server = "http://HOST:5000"',
        '',
        '[host."http://HOST:5000"]',
        'capabilities = ["pull", "resolve", "push"]',
      ],
    },
    fileSwitch: '--hosts-dir /etc/containerd/certs.d',
  },
  {
    client: 'crane',
    command: 'crane push SWITCH app REGISTRY/me/app:1',
    here: null,
    elsewhere: '--insecure',
  },
  {
    client: 'regctl',
    command: 'regctl SWITCH image copy ocidir://app:1 REGISTRY/me/app:1',
    here: '--host reg=REGISTRY,tls=disabled',
    elsewhere: '--host reg=REGISTRY,tls=disabled',
  },
  {
    client: 'oras',
    command: 'oras push SWITCH REGISTRY/me/note:1 note.txt',
    here: '--plain-http',
    elsewhere: '--plain-http',
  },
  {
    client: 'helm',
    command: 'helm push SWITCH chart-0.1.0.tgz oci://REGISTRY/charts',
    here: '--plain-http',
    elsewhere: '--plain-http',
  },
  {
    client: 'cosign',
    command: 'cosign tree SWITCH REGISTRY/me/app:1',
    here: null,
    elsewhere: '--allow-http-registry',
  },
  {
    client: 'notation',
    command: 'notation list SWITCH REGISTRY/me/app:1',
    here: '--insecure-registry',
    elsewhere: '--insecure-registry',
  },
]

/** A command as somebody types it. */
export function commandLine(line: PlainHttpLine, given: string | null, registry: string): string {
  const words = line.command.replace(' SWITCH', given === null ? '' : ` ${given}`)
  return words.replaceAll('REGISTRY', registry)
}

/** The table in Markdown, a row to a line. */
export function plainHttpRows(): string[] {
  const rows = plainHttpTable.map((line) => {
    const cells = [code(commandLine(line, null, 'HOST:5000')), code(line.here), elsewhereCell(line)]
    return `| ${cells.join(' | ').replaceAll('REGISTRY', 'HOST:5000')} |`
  })
  return ['| command | on the same machine | on another machine |', '| --- | --- | --- |', ...rows]
}

/** The files that the table names, each once. */
export function plainHttpFiles(): SettingsFile[] {
  return [...new Set(plainHttpTable.flatMap(({ file }) => file ?? []))]
}

function elsewhereCell({ elsewhere, file, fileSwitch }: PlainHttpLine): string {
  const byFile = file && code(file.path) + (fileSwitch === undefined ? '' : ` with ${code(fileSwitch)}`)
  return [elsewhere === null ? null : code(elsewhere), byFile].filter((one) => one != null).join(' or ')
}

function code(text: string | null): string {
  return text === null ? 'nothing' : `\`${text}\``
}
