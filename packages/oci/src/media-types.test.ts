import { expect, test } from 'vitest'
import {
  isForeignLayerType,
  isImageManifestType,
  isIndexType,
  manifestMediaTypes,
  mediaTypes,
} from './media-types.ts'

test('every accepted type is either an image manifest or an index', () => {
  for (const type of manifestMediaTypes) expect(isIndexType(type)).toBe(!isImageManifestType(type))
  expect(manifestMediaTypes.filter(isIndexType)).toEqual([mediaTypes.ociIndex, mediaTypes.dockerManifestList])
})

test('refused manifests, configs and layers are neither', () => {
  for (const type of Object.values(mediaTypes)) {
    if (!manifestMediaTypes.includes(type)) expect(isIndexType(type) || isImageManifestType(type)).toBe(false)
  }
})

test('foreign layers are those that need not be pushed', () => {
  const foreign = Object.values(mediaTypes).filter(isForeignLayerType)
  expect(foreign).toHaveLength(5)
  for (const type of foreign) expect(type).toMatch(/nondistributable|foreign/)
  expect(isForeignLayerType(mediaTypes.ociLayerGzip)).toBe(false)
})
