// One pass of the bare loop. Arguments: size in bytes, an empty folder.
import { hashWriteSync } from './bare-loop.ts'

const [size, folder] = process.argv.slice(2)
if (size === undefined || folder === undefined) throw new Error('usage: bare-loop-process.ts <size> <folder>')
process.send?.(hashWriteSync(Number(size), folder), () => process.disconnect?.())
