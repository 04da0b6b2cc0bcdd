export { freePort } from '@openregistry/testkit'
