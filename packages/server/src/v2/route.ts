/** What a path under `/v2` is about. Names and digests are still text: handlers parse them, once. */
export type Target =
  | { kind: 'base' }
  | { kind: 'catalog' }
  | { kind: 'extensions'; name: string | null }
  | { kind: 'tags'; name: string }
  | { kind: 'manifest'; name: string; reference: string }
  | { kind: 'blob'; name: string; digest: string }
  | { kind: 'uploads'; name: string }
  | { kind: 'upload'; name: string; id: string }
  | { kind: 'referrers'; name: string; digest: string }

/** Methods of each target; anything else is 405 with `Allow`. HEAD is GET without the body. */
export const methods: Readonly<Record<Target['kind'], readonly string[]>> = {
  base: ['GET', 'HEAD'],
  catalog: ['GET', 'HEAD'],
  extensions: ['GET', 'HEAD'],
  tags: ['GET', 'HEAD'],
  manifest: ['GET', 'HEAD', 'PUT', 'DELETE'],
  blob: ['GET', 'HEAD', 'DELETE'],
  uploads: ['POST'],
  upload: ['GET', 'HEAD', 'PATCH', 'PUT', 'DELETE'],
  referrers: ['GET', 'HEAD'],
}

/**
 * Reads a path of the specification ("Endpoints"). A repository name may have any number of components, `blobs`,
 * `manifests` and `tags` among them, so the path is read from the right, where its form is fixed.
 *
 * @param path what follows `/v2`, without the query: empty or beginning with `/`.
 * @returns null when nothing can be there.
 */
export function parseTarget(path: string): Target | null {
  if (path === '' || path === '/') return { kind: 'base' }
  if (path === '/_catalog') return { kind: 'catalog' }
  if (path === '/_oci/ext/discover') return { kind: 'extensions', name: null }
  const last = path.lastIndexOf('/')
  const before = path.lastIndexOf('/', last - 1)
  if (last < 1 || before < 1) return null
  const tail = path.slice(last + 1)
  const name = path.slice(1, before)
  switch (path.slice(before + 1, last)) {
    case 'manifests':
      return { kind: 'manifest', name, reference: decode(tail) }
    case 'blobs':
      // `…/blobs/uploads` without the final slash: some clients drop it.
      return tail === 'uploads' ? { kind: 'uploads', name } : { kind: 'blob', name, digest: decode(tail) }
    case 'uploads':
      return parseUploads(name, tail)
    case 'referrers':
      return { kind: 'referrers', name, digest: decode(tail) }
    case 'tags':
      return tail === 'list' ? { kind: 'tags', name } : null
    case 'ext':
      return tail === 'discover' && name.endsWith('/_oci')
        ? { kind: 'extensions', name: name.slice(0, -5) }
        : null
    default:
      return null
  }
}

function parseUploads(nameAndBlobs: string, tail: string): Target | null {
  if (!nameAndBlobs.endsWith('/blobs')) return null
  const name = nameAndBlobs.slice(0, -'/blobs'.length)
  return tail === '' ? { kind: 'uploads', name } : { kind: 'upload', name, id: tail }
}

/** Clients may write `sha256%3A…`. Names are not decoded: a percent sign there is a malformed name. */
function decode(segment: string): string {
  if (!segment.includes('%')) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    // Malformed escapes stay as they are, and the parser of digests or tags refuses them.
    return segment
  }
}
