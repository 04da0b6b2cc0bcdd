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
  const others = Object.values(mediaTypes).filter((type) => !manifestMediaTypes.includes(type))
  expect(others.filter((type) => isIndexType(type) || isImageManifestType(type))).toEqual([])
})

test('foreign layers are those that need not be pushed', () => {
  const foreign = Object.values(mediaTypes).filter(isForeignLayerType)
  expect(foreign).toHaveLength(5)
  for (const type of foreign) expect(type).toMatch(/nondistributable|foreign/)
  expect(isForeignLayerType(mediaTypes.ociLayerGzip)).toBe(false)
})
