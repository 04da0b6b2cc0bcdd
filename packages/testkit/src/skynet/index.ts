export { SkynetPortal } from './portal.ts'
