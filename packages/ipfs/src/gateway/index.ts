export { createGateway, type Gateway } from './gateway.ts'
export type { GatewayRequest } from './gateway-request.ts'
export { parseGatewayRequest } from './parse-request.ts'
