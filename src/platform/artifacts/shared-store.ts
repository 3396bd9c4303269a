import type { Config } from '../config.js';
import { GraftError } from '../../kernel/errors.js';

interface SharedStore {
  endpoint: string;
  bucket: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
  cacheBytes: number;
}

/** The store that gateways share, or null when none is configured. @throws SETUP_FAILED naming what is missing */
export function sharedStoreOf(config: Config): SharedStore | null {
  const {
    GRAFT_S3_ENDPOINT: endpoint,
    GRAFT_S3_BUCKET: bucket,
    GRAFT_S3_REGION: region,
    GRAFT_S3_ACCESS_KEY_ID: accessKeyId,
    GRAFT_S3_SECRET_ACCESS_KEY: secretAccessKey,
    GRAFT_S3_CACHE_BYTES: cacheBytes,
  } = config;
  const address = { GRAFT_S3_ENDPOINT: endpoint, GRAFT_S3_BUCKET: bucket };
  const settings = { ...address, GRAFT_S3_ACCESS_KEY_ID: accessKeyId, GRAFT_S3_SECRET_ACCESS_KEY: secretAccessKey };
  if (Object.values(address).every((value) => value === undefined)) return null;
  if (endpoint && bucket && accessKeyId && secretAccessKey)
    return { endpoint, bucket, region, accessKeyId, secretAccessKey, cacheBytes };
  const missing = Object.entries(settings).flatMap(([name, value]) => (value === undefined ? [name] : []));
  throw new GraftError('SETUP_FAILED', `A shared store for files needs ${missing.join(' and ')} too.`);
}
