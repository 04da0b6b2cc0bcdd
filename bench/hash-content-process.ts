// One pass over content in memory. Arguments: size in bytes, `sha256` or `cid`.
import { hashContent } from './hash-content.ts'

const [size, kind] = process.argv.slice(2)
if (size === undefined || (kind !== 'sha256' && kind !== 'cid'))
  throw new Error('usage: hash-content-process.ts <size> sha256|cid')
process.send?.(await hashContent(Number(size), kind), () => process.disconnect?.())
