/** Variables with which new blobs go to a bucket. */
export function s3Variables(
  access: { endpoint: string; bucket: string; accessKey: string; secretKey: string },
  more: Record<string, string> = {},
): Record<string, string> {
  return {
    OPEN_REGISTRY_DFS_DEFAULT: 's3',
    OPEN_REGISTRY_DFS_S3_ENDPOINT: access.endpoint,
    OPEN_REGISTRY_DFS_S3_BUCKET: access.bucket,
    OPEN_REGISTRY_DFS_S3_ACCESS_KEY: access.accessKey,
    OPEN_REGISTRY_DFS_S3_SECRET_KEY: access.secretKey,
    OPEN_REGISTRY_DFS_S3_ATTEMPTS: '2',
    ...more,
  }
}
