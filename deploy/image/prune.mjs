// Deletes the packages that package-lock.json marks as development's, and the runtimes of other platforms.
//   node prune.mjs <checkout> <package of the runtime to keep>
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const [root = '.', runtime = ''] = process.argv.slice(2)
const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))

for (const [path, { dev }] of Object.entries(packages)) {
  if (dev && path.includes('node_modules/')) rmSync(join(root, path), { recursive: true, force: true })
}

const modules = join(root, 'node_modules')
for (const name of readdirSync(modules)) {
  if (/^node-(bin-)?(linux|darwin)-/.test(name) && name !== runtime) {
    rmSync(join(modules, name), { recursive: true })
  }
}

// What is left of scopes whose packages are all gone, and links to workspaces that are not in an image.
for (const scope of readdirSync(modules).filter((name) => name.startsWith('@'))) {
  const folder = join(modules, scope)
  for (const name of readdirSync(folder)) {
    if (!existsSync(join(folder, name))) rmSync(join(folder, name))
  }
  if (readdirSync(folder).length === 0) rmSync(folder, { recursive: true })
}
