export { keysOf, peerPurpose, type Keys, type SigningKey } from './keys.ts'
export { nameKeysOf } from './name-keys.ts'
export { KeysFileError, openKeysFile } from './keys-file.ts'
