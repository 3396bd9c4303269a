import { once } from 'node:events';
import { S3mini } from 's3mini';
import type { BucketAccess } from '../../src/platform/artifacts/index.js';
import { eventually } from './eventually.js';
import { freePort } from './free-port.js';
import { Python } from './python.js';

/** moto: a server that speaks S3, kept by a project of its own. */
const PACKAGES = ['moto[server]==5.2.5'];

export interface S3Server {
  /** How to reach a bucket of its own that is empty. */
  bucket(): Promise<BucketAccess>;
  /** The client of a bucket, to damage what is in it. */
  client(access: BucketAccess): S3mini;
  /** As a network that is cut off: it answers nothing until `resume`. */
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
}

/** @returns the reason as text where there can be none */
export async function startS3Server(): Promise<S3Server | string> {
  const python = await Python.with(PACKAGES);
  if (typeof python === 'string') return python;
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const server = python.start('moto.server', ['-H', '127.0.0.1', '-p', String(port)]);
  server.stderr?.resume();
  await eventually('the S3 server answers', async () => (await fetch(`${endpoint}/moto-api/`)).ok, 60_000);
  let made = 0;
  const client = ({ endpoint: server, bucket, ...keys }: BucketAccess) =>
    new S3mini({ ...keys, endpoint: `${server}/${bucket}` });
  return {
    client,
    bucket: async () => {
      const access = {
        endpoint,
        bucket: `graft-${++made}`,
        region: 'eu-central-1',
        accessKeyId: 'key',
        secretAccessKey: 'secret',
      };
      await client(access).createBucket();
      return access;
    },
    pause: () => server.kill('SIGSTOP'),
    resume: () => server.kill('SIGCONT'),
    stop: async () => {
      server.kill('SIGKILL');
      if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
    },
  };
}
