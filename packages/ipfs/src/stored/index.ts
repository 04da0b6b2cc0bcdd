export { createBlockView, type BlockViewPorts } from './stored-block-view.ts'
