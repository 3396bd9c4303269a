import { execFileSync } from 'node:child_process';
import { appendFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { asOwner } from '../support/as-owner.js';
import { mapDatabaseError } from '../../src/platform/database/index.js';
import { startAnswering, type Answering } from '../integration/ask/answering.js';
import { createLogger } from '../../src/platform/telemetry/index.js';
import { serverFolder } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { startProbeGateway, type ProbeGateway } from '../support/gateway.js';
import { itWhen } from '../support/skip.js';
import { canMount, mountSmallDisk } from '../support/small-disk.js';
import { ownDatabaseServer } from '../support/test-servers.js';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.js';

const mountable = canMount();
const onSmallDisk = itWhen(mountable, 'a small file system can’t be mounted here');
const FULL = { code: 'STORAGE_FAILED', hint: expect.stringMatching(/Free space .* no restart is needed/) as string };

/** On a quiet machine a tenth of this is enough. */
const ENDS_WITHIN_MS = 60_000;
const MOST_MS = 400_000;

describe('a full disk', () => {
  let folder: TemporaryFolder;
  let answering: Answering | undefined;
  let gateway: ProbeGateway | undefined;
  let stopServer: (() => Promise<void>) | undefined;
  const mounts: (() => void)[] = [];
  const lines: string[] = [];
  const disks = { database: '', artifacts: '' };

  beforeAll(async () => {
    folder = await temporaryFolder();
    if (!mountable) return;
    for (const [name, kibibytes] of [
      ['database', 64 * 1024],
      ['artifacts', 1024],
    ] as const) {
      disks[name] = join(folder.path, name);
      mounts.push(mountSmallDisk(disks[name], kibibytes));
    }
    // While its disk is full no checkpoint ends, and without one the server drops nobody's database.
    stopServer = await ownDatabaseServer(join(folder.path, 'home'));
    const { uid, gid } = statSync(await serverFolder());
    execFileSync('chown', [`${uid}:${gid}`, disks.database]);
    const destination = { write: (line: string) => void lines.push(line) };
    answering = await startAnswering({ places: disks, log: createLogger({ level: 'warn', destination }) });
    gateway = await startProbeGateway({ files: answering.files, maxUploadBytes: 64 * 1024 ** 2 });
    await answering.collection('pumps');
  }, MOST_MS);
  afterAll(async () => {
    await gateway?.close(100);
    await answering?.stop();
    await stopServer?.();
    for (const unmount of mounts) unmount();
    await folder.remove();
  });

  /** As the gateway presents it. */
  const mapped = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw mapDatabaseError(error);
    });
  const text = (n: number, characters: number) => `The Orlo pump ${n} runs at ${n} bar. `.repeat(characters / 34);
  const ingest = (documents: { name: string; text: string; metadata?: object }[], key: string) =>
    mapped(answering!.ingest('pumps', documents as never, key, ENDS_WITHIN_MS));

  onSmallDisk(
    'where files lie: an upload and an ingestion are told what to do, keep nothing, and succeed once there is room',
    async () => {
      const upload = async (bytes: number) => {
        const form = new FormData();
        form.append('file', new Blob([Buffer.alloc(bytes, 'x')]), 'a.txt');
        const response = await fetch(`${gateway!.url}/files`, {
          method: 'POST',
          headers: { 'graft-upload': '1' },
          body: form,
        });
        return (await response.json()) as { id?: string; errors?: object[] };
      };
      const first = () => ingest([{ name: 'orlo.txt', text: text(1, 3_000) }], 'the same');

      const filler = join(disks.artifacts, 'filler');
      expect(() => {
        for (;;) appendFileSync(filler, Buffer.alloc(4_096));
      }).toThrow('ENOSPC');
      for (const bytes of [200_000, 30_000_000])
        expect((await upload(bytes)).errors).toEqual([
          expect.objectContaining({
            message: 'The disk is full.',
            extensions: expect.objectContaining(FULL) as object,
          }),
        ]);
      await expect(first()).rejects.toMatchObject(FULL);
      expect(await answering!.database.prisma.storedFile.count()).toBe(0);
      expect(readdirSync(join(disks.artifacts, 'tmp'))).toEqual([]);

      rmSync(filler);
      expect((await upload(200_000)).id).toEqual(expect.any(String));
      expect(await first()).toMatchObject({ status: 'SUCCEEDED', failures: 0 });
    },
    MOST_MS,
  );

  onSmallDisk(
    'where PostgreSQL lies: questions, new runs and runs in the middle are told what to do, and succeed once there is room',
    async () => {
      const { pool } = answering!.database;
      const input = { question: 'At how many bar does the Orlo pump 2 run?', requestId: 'when full' };
      const ask = () => mapped(answering!.ask({ ...input, collections: ['pumps'] }));
      const documents = (metadata: number, count = 60) =>
        Array.from({ length: count }, (_, n) => ({
          name: `${n}.txt`,
          text: text(n, 400),
          metadata: { note: text(n, metadata) },
        }));

      await asOwner(pool, (client) =>
        client.query(`
          CREATE TABLE filler (content text); ALTER TABLE filler ALTER content SET STORAGE EXTERNAL;
          CREATE TABLE reserve (content text); ALTER TABLE reserve ALTER content SET STORAGE EXTERNAL;
          INSERT INTO reserve VALUES (repeat('x', 400000))`),
      );
      const fill = async () => {
        for (const characters of [1_000_000, 8_000, 1])
          await expect(
            (async () => {
              for (;;) await pool.query(`INSERT INTO filler VALUES (repeat('x', $1))`, [characters]);
            })(),
          ).rejects.toMatchObject({ code: '53100' });
      };
      await fill();
      await expect(ask()).rejects.toMatchObject(FULL);
      await expect(ingest(documents(9_000), 'when full')).rejects.toMatchObject(FULL);

      await asOwner(pool, (client) => client.query('DROP TABLE reserve'));
      const before = lines.length;
      // Many more than there is room for: how much 60 take depends on what was freed, and how.
      const inTheMiddle = ingest(documents(9_000, 100), 'in the middle');
      const logged = (text: string) => lines.slice(before).some((line) => line.includes(text));
      await eventually('the run meets the full disk', () => logged('the run was interrupted'), ENDS_WITHIN_MS);
      const ended = () => answering!.database.prisma.run.count({ where: { status: 'FAILED' } });
      await eventually(
        'its end is written, or waits for room',
        async () => logged('the run’s end waits') || (await ended()) > 0,
      );

      execFileSync('mount', ['-o', 'remount,size=256m', disks.database]);
      expect(await inTheMiddle).toMatchObject({ status: 'FAILED', errorCode: FULL.code, errorMessage: FULL.hint });
      expect(await ingest(documents(9_000), 'when full')).toMatchObject({ status: 'SUCCEEDED', failures: 0 });
      expect((await ask()).citations).not.toHaveLength(0);
    },
    MOST_MS,
  );
});
