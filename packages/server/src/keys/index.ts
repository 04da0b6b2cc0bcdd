export { keysOf, peerPurpose, sealPurpose, snapshotPurpose, type Keys, type SigningKey } from './keys.ts'
export { nameKeysOf } from './name-keys.ts'
export { findKeysFile, KeysFileError, openKeysFile } from './keys-file.ts'
