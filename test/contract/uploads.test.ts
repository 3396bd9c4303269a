import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import OpenAI, { toFile } from 'openai';
import { GraftClient } from '../../src/client/graft-client.js';
import { AuditLogDocument, CreateApiKeyDocument, CreateWorkspaceDocument } from '../../src/client/operations/index.js';
import { testDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { spawnGraft, temporaryHome, type GraftProgram } from '../support/graft-program.js';
import { Python } from '../support/python.js';
import { itWhen } from '../support/skip.js';

const python = await Python.with(['openai==1.109.1']);

const LARGEST_FILE = 2_000_000;
const CONTENT = randomBytes(300_000);
const md5Of = (content: Buffer): string => createHash('md5').update(content).digest('hex');

describe('an upload in parts', () => {
  let home: Awaited<ReturnType<typeof temporaryHome>>;
  let database: TestDatabase;
  let graft: GraftProgram;
  let openai: OpenAI;

  const clientOf = (apiKey: string) => new OpenAI({ baseURL: `${graft.url}/v1`, apiKey, maxRetries: 0 });
  const begun = (bytes = CONTENT.length) =>
    openai.uploads.create({ purpose: 'assistants', filename: 'manual.pdf', bytes, mime_type: 'application/pdf' });
  const sent = async (uploadId: string, content: Buffer) => {
    const part = await openai.uploads.parts.create(uploadId, { data: await toFile(content, 'part') });
    return part.id;
  };
  const age = (uploadId: string, hours: number) =>
    database.pool.query(`UPDATE upload SET created_at = now() - make_interval(hours => $2) WHERE id = $1`, [
      uploadId.slice('upload_'.length),
      hours,
    ]);
  const partsLeft = async (): Promise<number> => {
    const { rows } = await database.pool.query<{ left: number }>(
      'SELECT count(*)::int AS left FROM stored_file WHERE upload_id IS NOT NULL',
    );
    return rows[0]!.left;
  };

  beforeAll(async () => {
    [home, database] = await Promise.all([temporaryHome(), testDatabase()]);
    const limits = { GRAFT_MAX_UPLOAD_BYTES: `${LARGEST_FILE}` };
    graft = await spawnGraft(home.path, { LOG_LEVEL: 'warn', DATABASE_URL: database.url, ...limits }).started;
    openai = clientOf('none');
  }, 300_000);
  afterAll(async () => {
    graft.child.kill('SIGTERM');
    await graft.ended;
    await database.dispose();
    await home.remove();
  });

  it('becomes one file, in the order that is asked for, and nothing of its parts stays', async () => {
    const upload = await begun();
    expect(upload).toMatchObject({ object: 'upload', status: 'pending', bytes: CONTENT.length, file: null });
    expect(upload.expires_at - upload.created_at).toBe(3600);
    const [second, first] = [
      await sent(upload.id, CONTENT.subarray(100_000)),
      await sent(upload.id, CONTENT.subarray(0, 100_000)),
    ];
    const { data: files } = await openai.files.list({ limit: 100 });
    expect(files.filter(({ filename }) => ['part', 'manual.pdf'].includes(filename))).toEqual([]);
    const asked = { part_ids: [first, second], md5: md5Of(CONTENT).toUpperCase() };
    const completed = await openai.uploads.complete(upload.id, asked);
    expect(completed).toMatchObject({
      id: upload.id,
      status: 'completed',
      file: { object: 'file', filename: 'manual.pdf', purpose: 'assistants', bytes: CONTENT.length },
    });
    const file = completed.file!;
    expect(Buffer.from(await (await openai.files.content(file.id)).arrayBuffer())).toEqual(CONTENT);
    expect(await openai.files.retrieve(file.id)).toEqual(file);
    expect(await partsLeft()).toBe(0);
    // A client that saw no answer asks again.
    expect(await openai.uploads.complete(upload.id, asked)).toEqual(completed);
    await expect(openai.uploads.cancel(upload.id)).rejects.toMatchObject({ status: 409, param: 'upload_id' });
    await expect(sent(upload.id, CONTENT)).rejects.toMatchObject({ status: 409 });
  });

  it('says what is wrong with its parts, and can be completed after that', async () => {
    const upload = await begun();
    const [first, second] = [
      await sent(upload.id, CONTENT.subarray(0, 100_000)),
      await sent(upload.id, CONTENT.subarray(100_000)),
    ];
    await expect(sent(upload.id, Buffer.from('x'))).rejects.toMatchObject({ status: 413, param: 'data' });
    await expect(sent(upload.id, Buffer.alloc(CONTENT.length + 1))).rejects.toMatchObject({ status: 413 });
    const other = await begun();
    const foreign = await sent(other.id, CONTENT);
    const md5 = md5Of(CONTENT);
    const refused: [{ part_ids: string[]; md5?: string }, number, string][] = [
      [{ part_ids: [first] }, 400, 'part_ids'],
      [{ part_ids: [first, first, second] }, 400, 'part_ids'],
      [{ part_ids: [] }, 400, 'part_ids'],
      [{ part_ids: [foreign] }, 404, 'part_ids'],
      [{ part_ids: ['part_none'] }, 404, 'part_ids'],
      [{ part_ids: [second, first], md5 }, 400, 'md5'],
      [{ part_ids: [first, second], md5: 'none' }, 400, 'md5'],
    ];
    for (const [body, status, param] of refused)
      await expect(openai.uploads.complete(upload.id, body)).rejects.toMatchObject({ status, param });
    expect(await openai.uploads.complete(upload.id, { part_ids: [first, second], md5 })).toMatchObject({
      status: 'completed',
    });
    expect(await openai.uploads.cancel(other.id)).toMatchObject({ status: 'cancelled', file: null });
    expect(await openai.uploads.cancel(other.id)).toMatchObject({ status: 'cancelled' });
    await expect(openai.uploads.complete(other.id, { part_ids: [foreign] })).rejects.toMatchObject({ status: 409 });
    expect(await partsLeft()).toBe(0);
  });

  it('becomes the same file for all who complete it at once', async () => {
    const upload = await begun();
    const partIds = [await sent(upload.id, CONTENT)];
    const completions = await Promise.all(
      Array.from({ length: 4 }, () => openai.uploads.complete(upload.id, { part_ids: partIds })),
    );
    expect(new Set(completions.map(({ file }) => file!.id)).size).toBe(1);
    const { rows } = await database.pool.query(`SELECT 1 FROM stored_file WHERE name = 'manual.pdf' AND id = $1`, [
      completions[0]!.file!.id.slice('file-'.length),
    ]);
    expect(rows).toHaveLength(1);
  });

  it('is refused where its file would be too large, or its purpose isn’t served', async () => {
    await expect(begun(LARGEST_FILE + 1)).rejects.toMatchObject({ status: 413 });
    const asked = { filename: 'a', bytes: 1, mime_type: '' };
    await expect(openai.uploads.create({ ...asked, purpose: 'vision' })).rejects.toMatchObject({ param: 'purpose' });
    const expiring = { anchor: 'created_at', seconds: 3600 } as const;
    await expect(
      openai.uploads.create({ ...asked, purpose: 'assistants', expires_after: expiring }),
    ).rejects.toMatchObject({ param: 'expires_after' });
  });

  it('expires after an hour, and the next start forgets its parts, but no others', async () => {
    const [expired, open] = [await begun(), await begun()];
    const [lost, kept] = [await sent(expired.id, CONTENT), await sent(open.id, CONTENT)];
    await age(expired.id, 1);
    for (const call of [
      () => openai.uploads.complete(expired.id, { part_ids: [lost] }),
      () => sent(expired.id, Buffer.from('x')),
      () => openai.uploads.cancel(expired.id),
    ])
      await expect(call()).rejects.toMatchObject({ status: 409, message: expect.stringContaining('expired') });
    expect(await partsLeft()).toBe(2);
    graft.child.kill('SIGTERM');
    await graft.ended;
    const limits = { GRAFT_MAX_UPLOAD_BYTES: `${LARGEST_FILE}` };
    graft = await spawnGraft(home.path, { LOG_LEVEL: 'warn', DATABASE_URL: database.url, ...limits }).started;
    openai = clientOf('none');
    await eventually('the parts of the expired upload are gone', async () => (await partsLeft()) === 1);
    await openai.uploads.complete(open.id, { part_ids: [kept] });
    expect(await partsLeft()).toBe(0);
  });

  it('is known to nobody else, needs the right to edit, and is written down', async () => {
    const graphql = new GraftClient(graft.url);
    const keyOf = async (role: 'ASK' | 'EDIT', workspaceId?: string) => {
      const input = { name: `${role} key`, role, ...(workspaceId && { workspaceId }) };
      return (await graphql.request(CreateApiKeyDocument, { input })).createApiKey.token;
    };
    const upload = await begun();
    const part = await sent(upload.id, CONTENT);
    const { createWorkspace } = await graphql.request(CreateWorkspaceDocument, { input: { name: 'others' } });
    const stranger = clientOf(await keyOf('EDIT', createWorkspace.workspace.id));
    const asker = clientOf(await keyOf('ASK'));
    const data = await toFile(CONTENT, 'part');
    for (const [client, status] of [
      [stranger, 404],
      [asker, 403],
    ] as const)
      for (const call of [
        () => client.uploads.parts.create(upload.id, { data }),
        () => client.uploads.complete(upload.id, { part_ids: [part] }),
        () => client.uploads.cancel(upload.id),
      ])
        await expect(call()).rejects.toMatchObject({ status });
    const { file } = await openai.uploads.complete(upload.id, { part_ids: [part] });
    const { auditLog } = await graphql.request(AuditLogDocument, { first: 20 });
    expect(auditLog.edges.map(({ node }) => node.what)).toEqual(
      expect.arrayContaining(['POST /v1/uploads', 'POST /v1/uploads/:id/parts', 'POST /v1/uploads/:id/complete']),
    );
    await expect(stranger.files.retrieve(file!.id)).rejects.toMatchObject({ status: 404 });
    graphql.close();
  });

  itWhen(python instanceof Python, typeof python === 'string' ? python : '')(
    'is sent by the Python client as it comes, whose file then trains or answers',
    async () => {
      const path = join(home.path, 'manual.bin');
      await writeFile(path, CONTENT);
      const script = `
import json, sys, openai
given = json.load(sys.stdin)
client = openai.OpenAI(base_url=given['url'], api_key='none', max_retries=0)
upload = client.uploads.upload_file_chunked(file=given['path'], mime_type='text/plain', purpose='fine-tune', part_size=70_000)
print(json.dumps([upload.status, upload.file.filename, upload.file.purpose, upload.file.bytes, upload.file.id]))`;
      const answer = await (python as Python).ask<string[]>(script, { url: `${graft.url}/v1`, path });
      expect(answer.slice(0, 4)).toEqual(['completed', 'manual.bin', 'fine-tune', CONTENT.length]);
      expect(Buffer.from(await (await openai.files.content(answer[4]!)).arrayBuffer())).toEqual(CONTENT);
    },
    60_000,
  );
});
