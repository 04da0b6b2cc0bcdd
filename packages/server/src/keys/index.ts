export { keysOf, peerPurpose, type Keys, type SigningKey } from './keys.ts'
export { KeysFileError, openKeysFile } from './keys-file.ts'
