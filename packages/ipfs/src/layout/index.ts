export { ImageByCid, type LayoutBlob, type LayoutManifest } from './image-by-cid.ts'
