import { startS3Server } from '../support/s3-server.js';
import { itWhen } from '../support/skip.js';
import { TwoGateways } from '../support/two-gateways.js';

const MOST_MS = 900_000;

const server = await startS3Server();
const [s3, absent] = typeof server === 'string' ? [null, server] : [server, ''];

describe('two gateways of one PostgreSQL, one Chroma and one S3 store, of which each is killed once', () => {
  let both: TwoGateways | undefined;
  beforeAll(async () => {
    if (s3 === null) return;
    const access = await s3.bucket();
    both = await TwoGateways.start({
      GRAFT_S3_ENDPOINT: access.endpoint,
      GRAFT_S3_BUCKET: access.bucket,
      GRAFT_S3_REGION: access.region,
      GRAFT_S3_ACCESS_KEY_ID: access.accessKeyId,
      GRAFT_S3_SECRET_ACCESS_KEY: access.secretAccessKey,
    });
  }, MOST_MS);
  afterAll(async () => {
    await both?.stop();
    await s3?.stop();
  });

  itWhen(s3 !== null, absent)(
    'go on at once with what the other has begun, and lose or fail nothing',
    () => both!.surviveEach(false),
    MOST_MS,
  );
});
