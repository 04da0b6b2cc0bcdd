export {
  dagCborCodec,
  dagLink,
  decodeDagValue,
  encodeDagValue,
  linkedCid,
  type DagValue,
} from './tree-node.ts'
export { readSortedTree, type GetNode, type TreeRow } from './tree-reader.ts'
export { SortedTreeWriter, type PutNode } from './tree-writer.ts'
