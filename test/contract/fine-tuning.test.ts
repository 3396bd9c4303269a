import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import OpenAI, { toFile } from 'openai';
import { GraftClient } from '../../src/client/graft-client.js';
import {
  CreateApiKeyDocument,
  CreateWorkspaceDocument,
  PromoteAdapterDocument,
  RunsDocument,
} from '../../src/client/operations/index.js';
import { eventually } from '../support/eventually.js';
import { spawnGraft, temporaryHome, type GraftProgram } from '../support/graft-program.js';
import { seededRandom } from '../../src/kernel/random.js';
import { Python } from '../support/python.js';
import { itWhen } from '../support/skip.js';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.js';
import { serveTinyModel } from '../support/tiny-served.js';

const python = await Python.with(['openai==1.109.1']);

/** A name that the operator’s table has for the model. */
const MODEL = 'gpt-4o-mini-2024-07-18';
const JOB = /^ftjob-[0-9a-f-]{36}$/;

const WORDS =
  'amber basket cedar drum ember fennel gravel hazel iron jasmine kettle lantern maple nickel onyx pepper quartz ribbon saffron timber umber velvet walnut yarn zinc'.split(
    ' ',
  );
const random = seededRandom(5);
const words = (count: number): string =>
  Array.from({ length: count }, () => WORDS[Math.floor(random() * WORDS.length)]).join(' ');

/** Rows as OpenAI’s tuners have them: a system message, several turns, a weight. */
const row = (wanted: string) => ({
  messages: [
    { role: 'system', content: 'You sort mail.' },
    { role: 'user', content: `${wanted === 'return' ? 'send back' : 'it is dark near'} the ${words(12)}` },
    { role: 'assistant', content: 'Which one?', weight: 0 },
    { role: 'user', content: 'the newest' },
    { role: 'assistant', content: wanted },
  ],
});
const ROWS = Array.from({ length: 60 }, (_, i) => row(i % 2 === 0 ? 'return' : 'light'));
const jsonl = (rows: readonly object[]): string => rows.map((each) => `${JSON.stringify(each)}\n`).join('');

describe('a tuning script of OpenAI’s', () => {
  let home: Awaited<ReturnType<typeof temporaryHome>>;
  let folder: TemporaryFolder;
  let graft: GraftProgram;
  let graphql: GraftClient;
  let openai: OpenAI;

  const clientOf = (apiKey: string) => new OpenAI({ baseURL: `${graft.url}/v1`, apiKey, maxRetries: 0 });
  const uploaded = async (rows: readonly object[], client = openai) =>
    client.files.create({ file: await toFile(Buffer.from(jsonl(rows)), 'rows.jsonl'), purpose: 'fine-tune' });
  const ended = (id: string, ...states: string[]) =>
    eventually(
      `the end of ${id}`,
      async () => {
        const job = await openai.fineTuning.jobs.retrieve(id);
        return [...states, 'succeeded', 'failed', 'cancelled'].includes(job.status) && job;
      },
      240_000,
    );

  beforeAll(async () => {
    [home, folder] = [await temporaryHome(), await temporaryFolder()];
    graft = await spawnGraft(home.path, { LOG_LEVEL: 'warn', GRAFT_OPENAI_MODELS: `gpt-4o=tiny, ${MODEL}=tiny` })
      .started;
    graphql = new GraftClient(graft.url);
    openai = clientOf('none');
    await serveTinyModel(graphql, openai, folder.path);
  }, 300_000);
  afterAll(async () => {
    graphql.close();
    graft.child.kill('SIGTERM');
    await graft.ended;
    await home.remove();
    await folder.remove();
  });

  it('ends in a proven adapter that answers chat, with what the gate found', async () => {
    const file = await uploaded(ROWS);
    expect(file).toMatchObject({ object: 'file', filename: 'rows.jsonl', purpose: 'fine-tune', status: 'processed' });
    const job = await openai.fineTuning.jobs.create({
      model: MODEL,
      training_file: file.id,
      suffix: 'mail',
      seed: 7,
      metadata: { team: 'desk' },
      method: {
        type: 'supervised',
        supervised: { hyperparameters: { n_epochs: 3, batch_size: 8, learning_rate_multiplier: 'auto' } },
      },
    });
    expect(job).toMatchObject({ object: 'fine_tuning.job', model: MODEL, seed: 7, fine_tuned_model: null });
    expect(job.id).toMatch(JOB);
    const done = await ended(job.id);
    expect(done).toMatchObject({
      status: 'succeeded',
      error: null,
      training_file: file.id,
      metadata: { team: 'desk' },
      hyperparameters: { n_epochs: 3, batch_size: 8, learning_rate_multiplier: 1 },
      fine_tuned_model: 'ft:tiny:graft:mail:mail@1',
    });
    const { graft: found } = done as unknown as { graft: { passedGate: boolean; findings: string[]; figures: object } };
    expect(found.passedGate).toBe(false);
    expect(found.findings).toEqual(
      expect.arrayContaining([
        'It was shown to act.',
        expect.stringMatching(/answered \d+ test rows beside the base model/),
        expect.stringMatching(/general text/),
        expect.stringMatching(/^Its token F1 on \d+ test rows is \d\.\d{3} \(\d\.\d{3} to \d\.\d{3}\)\.$/),
        expect.stringMatching(
          /^The base model’s token F1 on the same rows is \d\.\d{3}, and the adapter’s differs by [+−]/,
        ),
        'Neighbours and a regression weren’t compared, as the rows have no labels.',
        expect.stringMatching(/^Its perplexity on general text is \d\.\d{3} times the base model’s \(/),
        expect.stringMatching(
          /^It has the base model’s most probable token in [\d.]+ % of places of answers to general prompts \(/,
        ),
      ]),
    );
    expect(found.findings.at(-1)).toMatch(/^The gate doesn’t let it answer as candidate: \d of \d checks fail\.$/);
    const interval = { value: expect.any(Number), low: expect.any(Number), high: expect.any(Number) };
    expect(found.figures).toEqual({
      rows: expect.any(Number),
      metric: { name: 'token F1', ...interval },
      replaced: {
        is: 'BASE_MODEL',
        adapter: null,
        insteadOf: null,
        value: expect.any(Number),
        difference: { ...interval, p: expect.any(Number) },
      },
      nearestRows: null,
      regression: null,
      retention: { perplexityRatio: interval, agreement: interval },
    });
    const events = [];
    for await (const event of openai.fineTuning.jobs.listEvents(job.id, { limit: 5 })) events.push(event);
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
    const messages = events.map(({ message }) => message);
    expect(messages).toContainEqual(
      expect.stringMatching(/^\d+ rows are learned from, \d+ choose among steps, \d+ are held out/),
    );
    expect(messages).toEqual(expect.arrayContaining(found.findings));
    const followed = await (await fetch(`${graft.url}/v1/fine_tuning/jobs/${job.id}/events?stream=true`)).text();
    expect(followed.match(/^data: /gm)).toHaveLength(events.length + 1);
    expect(followed.endsWith('data: [DONE]\n\n')).toBe(true);
    const checkpoints = await openai.fineTuning.jobs.checkpoints.list(job.id);
    expect(checkpoints.data.map((each) => each.fine_tuned_model_checkpoint)).toEqual([done.fine_tuned_model]);
    const chat = await openai.chat.completions.create({
      model: done.fine_tuned_model!,
      messages: [{ role: 'user', content: 'send back order 7' }],
    });
    expect(chat).toMatchObject({ model: done.fine_tuned_model, choices: [{ message: { role: 'assistant' } }] });
    expect((await openai.fineTuning.jobs.list({ limit: 1 })).data.map(({ id }) => id)).toEqual([job.id]);
  }, 300_000);

  it('measures a later version beside the one in production, as the gate wants it', async () => {
    for (const alias of ['CANDIDATE', 'PRODUCTION'] as const)
      await graphql.request(PromoteAdapterDocument, {
        input: { adapter: 'mail', version: 1, alias, reason: 'The first version', force: true, confirmNotBetter: true },
      });
    const { id } = await openai.fineTuning.jobs.create({
      model: 'tiny',
      training_file: (await uploaded(ROWS)).id,
      suffix: 'mail',
      hyperparameters: { n_epochs: 1, batch_size: 8 },
    });
    const done = await ended(id);
    expect(done).toMatchObject({ status: 'succeeded', fine_tuned_model: 'ft:tiny:graft:mail:mail@2' });
    const { graft: said } = done as unknown as { graft: { findings: string[]; figures: object } };
    expect(said.findings).toContainEqual(expect.stringMatching(/answered \d+ test rows beside mail@1/));
    expect(said.findings).toContainEqual(
      expect.stringMatching(/^The token F1 of mail@1, then in production, on the same/),
    );
    expect(said.figures).toMatchObject({ replaced: { is: 'PRODUCTION', adapter: 'mail@1', insteadOf: null } });
  }, 300_000);

  it('is paused, resumed and cancelled with the training that it waits for', async () => {
    const file = await uploaded(ROWS);
    const { id } = await openai.fineTuning.jobs.create({
      model: 'tiny',
      training_file: file.id,
      validation_file: (await uploaded(ROWS.slice(0, 10))).id,
      suffix: 'a long one',
      hyperparameters: { n_epochs: 100 },
    });
    await eventually(
      'the training',
      async () => (await openai.fineTuning.jobs.retrieve(id)).status === 'running',
      60_000,
    );
    await openai.fineTuning.jobs.pause(id);
    expect((await ended(id, 'paused')).status).toBe('paused');
    await openai.fineTuning.jobs.resume(id);
    await eventually(
      'the training again',
      async () => (await openai.fineTuning.jobs.retrieve(id)).status === 'running',
      60_000,
    );
    await openai.fineTuning.jobs.cancel(id);
    expect(await ended(id)).toMatchObject({ status: 'cancelled', fine_tuned_model: null });
    await eventually('the end of its training', async () => {
      const { runs } = await graphql.request(RunsDocument, { first: 20 });
      return runs.edges.every(({ node }) => !['RUNNING', 'QUEUED', 'PAUSED'].includes(node.status));
    });
    await expect(openai.fineTuning.jobs.cancel(id)).resolves.toMatchObject({ status: 'cancelled' });
  }, 200_000);

  it('lists, shows and deletes files, page by page', async () => {
    const [first, second] = [await uploaded(ROWS.slice(0, 1)), await uploaded(ROWS.slice(1, 2))];
    const listed = await openai.files.list({ limit: 1, order: 'desc' });
    expect(listed.data.map(({ id }) => id)).toEqual([second.id]);
    expect((await listed.getNextPage()).data.map(({ id }) => id)).toEqual([first.id]);
    expect(await (await openai.files.content(first.id)).text()).toBe(jsonl(ROWS.slice(0, 1)));
    expect(await openai.files.retrieve(first.id)).toEqual(first);
    expect(await openai.files.delete(first.id)).toEqual({ id: first.id, object: 'file', deleted: true });
    await expect(openai.files.retrieve(first.id)).rejects.toMatchObject({ status: 404 });
  });

  it('is refused by name what isn’t trained here, and nothing is begun', async () => {
    const file = await uploaded(ROWS);
    const create = (more: object) => openai.fineTuning.jobs.create({ model: 'tiny', training_file: file.id, ...more });
    await expect(create({ method: { type: 'dpo' } })).rejects.toMatchObject({ status: 400, param: 'method.type' });
    await expect(create({ integrations: [{ type: 'wandb' }] })).rejects.toMatchObject({ param: 'integrations' });
    await expect(create({ hyperparameters: { n_epochs: 'many' } })).rejects.toMatchObject({
      param: 'hyperparameters.n_epochs',
    });
    await expect(create({ model: 'gpt-9' })).rejects.toMatchObject({ status: 404 });
    await expect(create({ training_file: 'file-1' })).rejects.toMatchObject({ status: 404 });
    await expect(create({ suffix: 'x'.repeat(64) })).rejects.toMatchObject({ status: 400, param: 'suffix' });
    await expect(
      openai.files.create({ file: await toFile(Buffer.from('x'), 'x.txt'), purpose: 'vision' }),
    ).rejects.toMatchObject({ status: 400, param: 'purpose' });
    const form = new FormData();
    form.append('purpose', 'fine-tune');
    form.append('file', new Blob(['{}']), 'x.jsonl');
    const sent = (body: FormData | string, headers: Record<string, string> = {}) =>
      fetch(`${graft.url}/v1/files`, { method: 'POST', body, headers: { authorization: 'Bearer none', ...headers } });
    const two = new FormData();
    two.append('purpose', 'fine-tune');
    for (const name of ['a.jsonl', 'b.jsonl']) two.append('file', new Blob(['{}']), name);
    expect((await sent(two)).status).toBe(400);
    const cut = '--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n{}';
    expect((await sent(cut, { 'content-type': 'multipart/form-data; boundary=x' })).status).toBe(400);
    expect((await sent(cut, { 'content-type': 'multipart/form-data' })).status).toBe(400);
    expect((await sent('{}', { 'content-type': 'application/json' })).status).toBe(400);
    expect((await openai.files.list()).data.map(({ filename }) => filename)).not.toContain('a.jsonl');
    for (const path of [
      'files/file-1/content',
      'fine_tuning/jobs/ftjob-1/events?stream=true',
      'fine_tuning/jobs/ftjob-1',
    ])
      expect((await fetch(`${graft.url}/v1/${path}`)).status).toBe(404);
    // As a form of another page sends it.
    expect((await fetch(`${graft.url}/v1/files`, { method: 'POST', body: form })).status).toBe(400);
  });

  it('says why rows can’t be learned from', async () => {
    const file = await uploaded([{ prompt: 'no messages' }]);
    const create = openai.fineTuning.jobs.create({ model: 'tiny', training_file: file.id, suffix: 'broken' });
    const job = await create.then(({ id }) => ended(id));
    expect(job).toMatchObject({ status: 'failed', error: { message: expect.stringMatching(/./) } });
  }, 60_000);

  it('knows nothing of another workspace, and lets no key change anything that may only ask', async () => {
    const file = await uploaded(ROWS);
    const { data } = await openai.fineTuning.jobs.list();
    const { createWorkspace } = await graphql.request(CreateWorkspaceDocument, { input: { name: 'other' } });
    const keyOf = async (role: 'ASK' | 'EDIT', workspaceId?: string) => {
      const { createApiKey } = await graphql.request(CreateApiKeyDocument, {
        input: { name: role, role, workspaceId },
      });
      return clientOf(createApiKey.token);
    };
    const foreign = await keyOf('EDIT', createWorkspace.workspace.id);
    await expect(foreign.files.retrieve(file.id)).rejects.toMatchObject({ status: 404 });
    await expect(foreign.files.delete(file.id)).rejects.toMatchObject({ status: 404 });
    await expect(foreign.fineTuning.jobs.retrieve(data[0]!.id)).rejects.toMatchObject({ status: 404 });
    await expect(foreign.fineTuning.jobs.create({ model: 'tiny', training_file: file.id })).rejects.toMatchObject({
      status: 404,
    });
    expect((await foreign.files.list()).data).toEqual([]);
    expect((await foreign.fineTuning.jobs.list()).data).toEqual([]);
    const asking = await keyOf('ASK');
    await expect(uploaded(ROWS, asking)).rejects.toMatchObject({ status: 403 });
    await expect(asking.fineTuning.jobs.list()).rejects.toMatchObject({ status: 403 });
  });

  itWhen(python instanceof Python, typeof python === 'string' ? python : '')(
    'runs in Python as it stands',
    async () => {
      const path = join(folder.path, 'rows.jsonl');
      writeFileSync(path, jsonl(ROWS));
      const found = await (python as Python).ask<{ status: string; model: string; answer: string; events: number }>(
        `
import json, sys, time
from openai import OpenAI
given = json.load(sys.stdin)
client = OpenAI(base_url=given['url'], api_key='none')
file = client.files.create(file=open(given['path'], 'rb'), purpose='fine-tune')
job = client.fine_tuning.jobs.create(training_file=file.id, model='${MODEL}', suffix='python', hyperparameters={'n_epochs': 1})
while job.status not in ('succeeded', 'failed', 'cancelled'):
    time.sleep(1)
    job = client.fine_tuning.jobs.retrieve(job.id)
events = list(client.fine_tuning.jobs.list_events(job.id, limit=10))
chat = client.chat.completions.create(model=job.fine_tuned_model, messages=[{'role': 'user', 'content': 'send back order 3'}])
json.dump({'status': job.status, 'model': chat.model, 'answer': chat.choices[0].finish_reason, 'events': len(events)}, sys.stdout)
`,
        { url: `${graft.url}/v1`, path },
      );
      expect(found).toMatchObject({ status: 'succeeded', model: 'ft:tiny:graft:python:python@1' });
      expect(found.events).toBeGreaterThan(5);
    },
    300_000,
  );
});
