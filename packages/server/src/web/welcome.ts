/** What the first page says. */
export interface Welcome {
  /** Host and port that clients use, for example `127.0.0.1:5000`. */
  host: string
  version: string
  /** Whether anybody who reaches the address may push. */
  open: boolean
  /** Whether the address is reached from other machines. */
  network: boolean
}

/** For `curl` and other programs. */
export function welcomeText({ host, version, open, network }: Welcome): string {
  const lines = [
    `OpenRegistry ${version}: a container registry whose content is addressed on IPFS.`,
    '',
    ...commands(host, open).map((command) => `  ${command}`),
    '',
    mode(open, network),
  ]
  return `${lines.join('\n')}\n`
}

/** For a person with a browser. No script, no request to anywhere. */
export function welcomePage(welcome: Welcome): string {
  const { host, version, open, network } = welcome
  const list = commands(host, open)
    .map((command) => `<code>${escape(command)}</code>`)
    .join('\n')
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>OpenRegistry</title>
<style>
  :root { color-scheme: light dark }
  body { font: 1.05rem/1.6 system-ui, sans-serif; max-width: 42rem; margin: 12vh auto; padding: 0 1.25rem }
  h1 { font-size: 1.6rem; margin: 0 }
  code { display: block; font: .95rem/1.5 ui-monospace, monospace; padding: .55rem .8rem; margin: .4rem 0;
         border: 1px solid color-mix(in srgb, currentColor 25%, transparent); border-radius: .4rem; overflow-x: auto }
  p.note { border-inline-start: .25rem solid; padding-inline-start: .8rem }
</style>
<h1>OpenRegistry</h1>
<p>A container registry for Docker, Podman, Helm and every other OCI client. Each layer has a content address on IPFS,
so anyone can verify it. This is version ${escape(version)}.</p>
<p>Push an image, pull it, look at it:</p>
${list}
<p class="note">${escape(mode(open, network))}</p>
</html>
`
}

function commands(host: string, open: boolean): string[] {
  const push = [
    `docker tag alpine ${host}/me/app:1 && docker push ${host}/me/app:1`,
    `docker pull ${host}/me/app:1`,
    `openregistry inspect ${host}/me/app:1`,
  ]
  return open ? push : [`docker login ${host}`, ...push.slice(0, 2)]
}

function mode(open: boolean, network: boolean): string {
  if (!open) return 'Pushing needs a user name and a password.'
  if (network)
    return 'Warning: open mode on a network address. Everybody who reaches it may push, pull and delete.'
  return 'Open mode: everybody on this machine may push, pull and delete.'
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`)
}
