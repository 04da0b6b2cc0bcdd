export type { IpnsValue } from './ipns-data.ts'
export { IpnsError, type IpnsFault } from './ipns-error.ts'
export { ipnsName, libp2pKeyCodec, isPeerId, parseIpnsName } from './ipns-name.ts'
export {
  encodeIpnsRecord,
  maxIpnsRecordSize,
  verifyIpnsRecord,
  type IpnsVerification,
} from './ipns-record.ts'
