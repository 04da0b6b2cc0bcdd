import { beforeEach } from 'vitest'
import { requirePeers } from '../support/peers.ts'

// Runs before each file of the project `http2`.
beforeEach((context) => requirePeers(context, ['openssl']))
