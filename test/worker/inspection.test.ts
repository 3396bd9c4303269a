import { randomInt } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ERROR_CODES } from '../../src/kernel/error-codes.js';
import { isGraftError } from '../../src/kernel/errors.js';
import { readChat } from '../../gpu-worker/chat/read-chat.js';
import {
  HOSTILE_TEMPLATES,
  TINY_CHAT_SOURCE,
  TINY_CHAT_TEMPLATE,
  TINY_CONTEXT,
  tinyModel,
} from '../support/tiny-model.js';
import { eventually } from '../support/eventually.js';
import { itWhen } from '../support/skip.js';
import { startWorker, workspaceId, type TestWorker } from '../support/worker.js';

// Starting real processes takes long where the cores are shared.
jest.setTimeout(180_000);

const folder = mkdtempSync(join(tmpdir(), 'graft-inspection-'));
let worker: TestWorker;
beforeAll(async () => {
  worker = await startWorker();
});
afterAll(async () => {
  await worker.dispose();
  rmSync(folder, { recursive: true, force: true });
});

function inspect(bytes: Uint8Array): ReturnType<TestWorker['client']['inspectModel']> {
  const path = join(folder, 'model.gguf');
  writeFileSync(path, bytes);
  return worker.client.inspectModel({ workspaceId, path });
}

/** A process of this one with this argument. */
const childOf = (parent: number, argument: string): number | null => {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ').filter(Boolean);
  const found = children.find((pid) => argumentsOf(pid).includes(argument));
  return found === undefined ? null : Number(found);
};

/** Of a process that has gone in between there are none. */
function argumentsOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

const manyTexts = (count: number): string[] => Array.from({ length: count }, () => '');

describe('inspection of a model file', () => {
  it('describes a model that it really loaded', async () => {
    expect(await inspect(tinyModel())).toEqual({
      architecture: 'llama',
      parameters: 109_120,
      quantization: 'F32',
      contextLength: TINY_CONTEXT,
      vocabulary: 274,
      chatTemplate: TINY_CHAT_TEMPLATE,
      bosToken: '<|im_start|>',
      eosToken: '<|im_end|>',
      licence: 'apache-2.0',
      name: 'Tiny',
      bytes: tinyModel().length,
      chat: readChat(TINY_CHAT_SOURCE),
    });
  });

  const whole = tinyModel();
  it.each<[string, () => Uint8Array, string, RegExp]>([
    ['a file that is not GGUF', () => Buffer.from('PK\u0003\u0004 a zip, say'), 'MODEL_FILE_INVALID', /not GGUF/],
    ['an empty file', () => Buffer.alloc(0), 'MODEL_FILE_INVALID', /not GGUF/],
    ['one whose weights are cut short', () => whole.subarray(0, -1_000), 'MODEL_FILE_INVALID', /cut short/],
    ['one whose header is cut short', () => whole.subarray(0, 2_000), 'MODEL_FILE_INVALID', /cut short/],
    ['one that is hardly there', () => whole.subarray(0, 10), 'MODEL_FILE_INVALID', /header/],
    ['an adapter', () => tinyModel({ type: 'adapter' }), 'MODEL_FILE_INVALID', /an adapter, not a model/],
    [
      'one that lists millions of texts',
      () => tinyModel({ metadata: { 'x.texts': { strings: manyTexts(3_000_000) } } }),
      'MODEL_FILE_INVALID',
      /length of a list of 3000000/,
    ],
    [
      'one of many long lists',
      () =>
        tinyModel({
          metadata: Object.fromEntries(Array.from('abcdefgh').map((x) => [x, { i32s: new Int32Array(1_200_000) }])),
        }),
      'MODEL_FILE_INVALID',
      /more than 8000000 values/,
    ],
    [
      'one with a text of 5 MB',
      () => tinyModel({ metadata: { 'x.text': { string: 'x'.repeat(5e6) } } }),
      'MODEL_FILE_INVALID',
      /length of a text/,
    ],
    [
      'one with a template of half a megabyte',
      () => tinyModel({ chatTemplate: 'x'.repeat(5e5) }),
      'MODEL_UNSUPPORTED',
      /500000 characters/,
    ],
    ['an endless context', () => tinyModel({ contextLength: 2 ** 32 - 1 }), 'MODEL_FILE_INVALID', /4294967295 tokens/],
    ['no context', () => tinyModel({ contextLength: 0 }), 'MODEL_FILE_INVALID', /context has 0 tokens/],
    [
      'a licence that no text can be',
      () => tinyModel({ metadata: { 'general.license': { string: 'mit\0' } } }),
      'MODEL_FILE_INVALID',
      /general.license/,
    ],
    ['an unknown architecture', () => tinyModel({ architecture: 'frobnicator' }), 'MODEL_UNSUPPORTED', /frobnicator/],
    ['an embedder', () => tinyModel({ architecture: 'bert' }), 'MODEL_UNSUPPORTED', /does not generate text/],
  ])('refuses %s', async (_, bytes, code, message) => {
    const error: unknown = await inspect(bytes()).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string });
  });

  it.each(Object.entries(HOSTILE_TEMPLATES))(
    'refuses a model whose chat template %s, and goes on',
    async (_, chatTemplate) => {
      const { pid } = worker.client.status;
      await expect(inspect(tinyModel({ chatTemplate }))).rejects.toMatchObject({
        code: 'MODEL_UNSUPPORTED',
        message: expect.stringContaining('chat template'),
        hint: expect.stringContaining('chat template'),
      });
      expect(worker.client.status).toMatchObject({ pid, restarts: 0 });
    },
  );

  it('refuses a path where nothing is', async () => {
    const path = join(folder, 'nothing.gguf');
    await expect(worker.client.inspectModel({ workspaceId, path })).rejects.toMatchObject({
      code: 'MODEL_FILE_INVALID',
    });
  });

  it('survives headers with flipped bytes, each with its own refusal', async () => {
    const seed = Number(process.env.GRAFT_TEST_SEED ?? randomInt(1e9));
    console.log(`flipped bytes: GRAFT_TEST_SEED=${seed}`);
    let state = seed >>> 0;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const pid = worker.client.status.pid;
    for (let round = 0; round < 6; round++) {
      const bytes = Buffer.from(whole);
      for (let flip = 0; flip < 4; flip++) bytes[4 + random(1_500)] = random(256);
      try {
        expect((await inspect(bytes)).bytes).toBe(whole.length);
      } catch (error) {
        if (!isGraftError(error)) throw error;
        expect(ERROR_CODES[error.code]).toBeDefined();
        expect(['MODEL_FILE_INVALID', 'MODEL_UNSUPPORTED', 'WORKER_CRASHED']).toContain(error.code);
      }
    }
    expect(worker.client.status).toMatchObject({ pid, restarts: 0 });
  });

  it('stops the loader when the caller withdraws', async () => {
    const path = join(folder, 'tiny.gguf');
    writeFileSync(path, whole);
    const abort = new AbortController();
    const result = worker.client.inspectModel({ workspaceId, path }, { signal: abort.signal });
    setTimeout(() => abort.abort(), 50);
    await expect(result).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  itWhen(process.platform === 'linux', 'only Linux lists processes so')(
    'says of a loader that was killed that it was, not that the file is damaged',
    async () => {
      const path = join(folder, 'tiny.gguf');
      const loader = () => childOf(worker.client.status.pid!, 'inspect');
      // That of a caller who withdrew may still be ending, and killing it says nothing of this one.
      await eventually('no other loader', () => loader() === null);
      const result = worker.client.inspectModel({ workspaceId, path }).catch((error: unknown) => error);
      await eventually('the loader', () => {
        const pid = loader();
        if (pid !== null) process.kill(pid, 'SIGKILL');
        return pid !== null;
      });
      expect(await result).toMatchObject({
        code: 'WORKER_CRASHED',
        message: expect.stringContaining('SIGKILL') as string,
      });
    },
  );

  it('leaves files as they were', () => {
    expect(readFileSync(join(folder, 'tiny.gguf')).equals(whole)).toBe(true);
  });
});
