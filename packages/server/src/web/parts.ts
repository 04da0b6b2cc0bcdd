import type { HttpBindings } from '@hono/node-server'
import type { Principal, Registry } from '@openregistry/core'
import type { Authenticator } from '../http/authenticate.ts'
import type { Logger } from '../log/logger.ts'
import type { RenderedMetrics } from '../metrics/snapshot.ts'
import type { Welcome } from './welcome.ts'

/** What everything besides `/v2` is made of. */
export interface WebParts {
  registry: Registry
  authenticator: Authenticator
  /** The numbers of all processes of this replica. */
  renderMetrics: () => Promise<RenderedMetrics>
  /** Whether this process is about to stop: balancers are to send it nothing new. */
  draining: () => boolean
  welcome: Welcome
  /** How long the body of a request may take, in milliseconds. */
  bodyTime: number
  log: Logger
  /** False when `/metrics` has a port of its own. */
  servesMetrics: boolean
}

/** The environment of a handler: Node's request beneath. */
export interface WebEnvironment {
  Bindings: HttpBindings
  Variables: {
    /** Who asks, below `/api/v1`. */
    principal: Principal
  }
}
