import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { GraftError } from '../../../src/kernel/errors.js';
import { sha256 } from '../../../src/kernel/hashing.js';
import { DEFAULT_WORKSPACE_ID, newId } from '../../../src/kernel/ids.js';
import type { RegisterModel } from '../../../src/sources/registry/index.js';
import { readChat } from '../../../gpu-worker/chat/read-chat.js';
import { Prisma } from '../../../src/platform/database/index.js';
import { renderChat } from '../../../src/sources/prompting/index.js';
import { freshWorkspace } from '../../support/chroma.js';
import { HOSTILE_TEMPLATES, TINY_CHAT_SOURCE, TINY_CONTEXT, tinyModel } from '../../support/tiny-model.js';
import { sharedWorker, type TestWorker } from '../../support/worker.js';
import { RegistryKit } from './registry-kit.js';

const WORKSPACE = DEFAULT_WORKSPACE_ID;

let worker: TestWorker;
beforeAll(async () => {
  worker = await sharedWorker();
});
afterAll(() => worker.dispose());

describe('the model registry', () => {
  let kit: RegistryKit;
  const model = tinyModel();

  beforeEach(async () => {
    kit = await RegistryKit.start(worker.client);
  });
  afterEach(() => kit.dispose());

  const register = async (input: Omit<RegisterModel, 'idempotencyKey'>) =>
    kit.ended(await kit.registry.register(WORKSPACE, { idempotencyKey: newId(), ...input }));
  const upload = async (content: Buffer, name = 'Tiny-Model.F32.gguf') =>
    (await kit.upload(WORKSPACE, name, content)).id as never;

  it('registers an uploaded file with what the file says about itself', async () => {
    const run = await register({ fileId: await upload(model) });
    expect(run).toMatchObject({ status: 'SUCCEEDED', kind: 'DOWNLOAD' });
    const { variantId } = run.output as { variantId: string };
    const variant = await kit.registry.variant(WORKSPACE, variantId);
    expect(variant).toMatchObject({
      variantId,
      model: 'tiny-model',
      architecture: 'llama',
      quantization: 'F32',
      licence: 'apache-2.0',
      path: await kit.artifacts.local(sha256(model)),
      sha256: sha256(model),
      bytes: model.length,
      contextLength: TINY_CONTEXT,
      chat: readChat(TINY_CHAT_SOURCE),
    });
    expect(variant.parameters).toBeGreaterThan(10_000);
    expect(await kit.registry.modelByName(WORKSPACE, 'tiny-model')).toMatchObject({ source: 'upload' });
    await expect(kit.registry.variant(freshWorkspace(), variantId)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it.each([
    ['cut short', model.subarray(0, model.length - 1000), 'MODEL_FILE_INVALID'],
    ['cut in its header', model.subarray(0, 200), 'MODEL_FILE_INVALID'],
    ['empty', Buffer.alloc(0), 'MODEL_FILE_INVALID'],
    ['no GGUF at all', randomBytes(100_000), 'MODEL_FILE_INVALID'],
    ['of an architecture that nobody serves', tinyModel({ architecture: 'perceptron' }), 'MODEL_UNSUPPORTED'],
  ])('refuses a file that is %s, and keeps nothing of it', async (_, content, code) => {
    const run = await register({ fileId: await upload(content) });
    expect(run).toMatchObject({ status: 'FAILED', errorCode: code });
    expect(run.errorMessage).not.toBe('');
    expect(await kit.leftovers()).toEqual([]);
  });

  it('keeps the bytes of a refused file that someone else uploaded too', async () => {
    const other = freshWorkspace();
    const kept = await kit.upload(other, 'notes.gguf', Buffer.from('not a model'));
    const run = await register({ fileId: await upload(Buffer.from('not a model')) });
    expect(run).toMatchObject({ status: 'FAILED', errorCode: 'MODEL_FILE_INVALID' });
    expect((await kit.artifacts.read(kept.sha256)).toString()).toBe('not a model');
  });

  describe('from the hub', () => {
    const URL_PATH = '/owner/tiny/resolve/main/sub/Tiny.Q8_0.gguf';
    const input = { hubFile: 'hf:owner/tiny/sub/Tiny.Q8_0.gguf' };

    it('fetches, verifies and registers a file, with progress in bytes', async () => {
      kit.hub.files.set(URL_PATH, { content: model, linkedEtag: sha256(model) });
      kit.hub.slowMs = 30;
      const run = await register(input);
      expect(run).toMatchObject({ status: 'SUCCEEDED' });
      expect(await kit.registry.modelByName(WORKSPACE, 'tiny')).toMatchObject({ source: 'hf:owner/tiny' });
      const events = await kit.database.prisma.event.findMany({ where: { stream: `run:${run.id}` } });
      expect(events[0]).toMatchObject({
        type: 'progress',
        payload: { detail: { bytes: expect.any(Number), totalBytes: model.length } },
      });
    });

    it('refuses a file that is not the one the hub names, and keeps nothing of it', async () => {
      kit.hub.files.set(URL_PATH, { content: model, linkedEtag: sha256('another') });
      expect(await register(input)).toMatchObject({ status: 'FAILED', errorCode: 'MODEL_DIGEST_MISMATCH' });
      expect(await kit.leftovers()).toEqual([]);
    });

    it('refuses a whole file that is no model, and keeps nothing of it', async () => {
      kit.hub.files.set(URL_PATH, { content: model.subarray(0, 5_000) });
      expect(await register(input)).toMatchObject({ status: 'FAILED', errorCode: 'MODEL_FILE_INVALID' });
      expect(await kit.leftovers()).toEqual([]);
    });

    it('keeps a file that another workspace answers with, whatever a second look says, and looks at none twice for one workspace', async () => {
      kit.hub.files.set(URL_PATH, { content: model, linkedEtag: sha256(model) });
      const inspect = jest.spyOn(worker.client, 'inspectModel');
      try {
        expect(await register(input)).toMatchObject({ status: 'SUCCEEDED' });
        expect(await register(input)).toMatchObject({ status: 'SUCCEEDED' });
        expect(inspect).toHaveBeenCalledTimes(1);
        expect(await register({ ...input, name: 'other' })).toMatchObject({ errorCode: 'ALREADY_EXISTS' });
        inspect.mockRejectedValueOnce(new GraftError('MODEL_FILE_INVALID', 'A bad day.'));
        const other = await kit.registry.register(freshWorkspace(), { ...input, idempotencyKey: newId() });
        expect(await kit.ended(other)).toMatchObject({ status: 'FAILED', errorCode: 'MODEL_FILE_INVALID' });
      } finally {
        inspect.mockRestore();
      }
      expect(await kit.withDefault('tiny').defaultVariant(WORKSPACE)).toMatchObject({ sha256: sha256(model) });
    });

    it('keeps a file that somebody put there, also when it is no model', async () => {
      const path = join(kit.folder, 'models/hub/owner/tiny/main/sub/Tiny.Q8_0.gguf');
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, model.subarray(0, 5_000));
      expect(await register(input)).toMatchObject({ status: 'FAILED', errorCode: 'MODEL_FILE_INVALID' });
      expect((await readFile(path)).length).toBe(5_000);
    });

    it('says what it tried when the file is not there', async () => {
      expect(await register(input)).toMatchObject({
        status: 'FAILED',
        errorCode: 'MODEL_UNAVAILABLE',
        errorMessage: expect.stringContaining('has no such file'),
      });
    });
  });

  it('registers one file once, whoever asks in whatever way', async () => {
    const [first, second] = await Promise.all([
      register({ fileId: await upload(model) }),
      register({ fileId: await upload(model, 'Other.gguf') }),
    ]);
    expect(second.output).toEqual(first.output);
    expect(await register({ fileId: await upload(model), name: 'renamed' })).toMatchObject({
      status: 'FAILED',
      errorCode: 'ALREADY_EXISTS',
    });
    expect(await kit.database.prisma.modelVariant.count()).toBe(1);
  });

  it('adds a second variant to a model, but not another model under its name', async () => {
    await register({ fileId: await upload(model), name: 'mine' });
    expect(await register({ fileId: await upload(tinyModel({ seed: 2 })), name: 'mine' })).toMatchObject({
      status: 'SUCCEEDED',
    });
    const { id } = (await kit.registry.modelByName(WORKSPACE, 'mine'))!;
    expect(await kit.registry.variantsOf(WORKSPACE, [id])).toEqual([
      [expect.objectContaining({ sha256: sha256(model) }), expect.objectContaining({ sha256: expect.any(String) })],
    ]);
    await kit.database.prisma.baseModel.update({ where: { id }, data: { parameters: 7_000_000_000n } });
    expect(await register({ fileId: await upload(tinyModel({ seed: 3 })), name: 'mine' })).toMatchObject({
      status: 'FAILED',
      errorCode: 'ALREADY_EXISTS',
    });
  });

  it('refuses bad input before any run exists', async () => {
    const key = { idempotencyKey: 'k' };
    const attempts: [RegisterModel, string, string | undefined][] = [
      [{ ...key }, 'BAD_USER_INPUT', 'input'],
      [{ ...key, catalogueName: 'smollm2-135m-instruct', hubFile: 'hf:a/b/c.gguf' }, 'BAD_USER_INPUT', 'input'],
      [{ ...key, catalogueName: 'gpt-9' }, 'NOT_FOUND', 'input.catalogueName'],
      [{ ...key, catalogueName: 'all-minilm-l6-v2' }, 'BAD_USER_INPUT', 'input.catalogueName'],
      [{ ...key, hubFile: 'hf:owner/../../etc.gguf' }, 'BAD_USER_INPUT', 'input.hubFile'],
      [{ ...key, hubFile: 'http://example.com/x.gguf' }, 'BAD_USER_INPUT', 'input.hubFile'],
      [{ ...key, hubFile: 'hf:a/b/c.gguf', name: 'no spaces please' }, 'BAD_USER_INPUT', 'input.name'],
      [{ ...key, fileId: newId() }, 'NOT_FOUND', 'input.fileId'],
      [{ hubFile: 'hf:a/b/c.gguf', idempotencyKey: ' ' }, 'BAD_USER_INPUT', 'input.idempotencyKey'],
    ];
    for (const [input, code, field] of attempts)
      await expect(kit.registry.register(WORKSPACE, input)).rejects.toMatchObject({ code, field });
    const foreign = await kit.upload(freshWorkspace(), 'x.gguf', model);
    await expect(kit.registry.register(WORKSPACE, { ...key, fileId: foreign.id as never })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(await kit.database.prisma.run.count()).toBe(0);
  });

  it('refuses a file whose chat template would stop whoever renders it, and keeps nothing of it', async () => {
    const chatTemplate = HOSTILE_TEMPLATES['loops over numbers'];
    expect(await register({ fileId: await upload(tinyModel({ chatTemplate })) })).toMatchObject({
      status: 'FAILED',
      errorCode: 'MODEL_UNSUPPORTED',
    });
    expect(await kit.leftovers()).toEqual([]);
  });

  it('looks into the template of a model that was registered before that was done, and keeps what it found', async () => {
    const { output } = await register({ fileId: await upload(model) });
    const { variantId } = output as { variantId: string };
    const { chat } = await kit.registry.variant(WORKSPACE, variantId);
    const { modelVariant } = kit.database.prisma;
    await modelVariant.update({ where: { id: variantId }, data: { chat: Prisma.DbNull } });
    const again = kit.withDefault('tiny-model');
    expect((await again.variant(WORKSPACE, variantId)).chat).toEqual(chat);
    expect((await modelVariant.findFirstOrThrow({ where: { id: variantId } })).chat).toEqual(chat);
  });

  it('starts with a model that was registered with a hostile template, which says so when it is asked', async () => {
    const { output } = await register({ fileId: await upload(model) });
    const { variantId } = output as { variantId: string };
    const { modelVariant } = kit.database.prisma;
    const chatTemplate = HOSTILE_TEMPLATES['writes without end'];
    await modelVariant.update({ where: { id: variantId }, data: { chat: Prisma.DbNull, chatTemplate } });
    const again = kit.withDefault('tiny-model');
    const told: unknown[] = [];
    await again.readChats((each) => told.push(each), new AbortController().signal);
    expect(told).toEqual([{ variantId, reason: expect.any(String) }]);
    await again.readChats((each) => told.push(each), new AbortController().signal);
    expect(told).toHaveLength(1);
    const { chat } = await again.variant(WORKSPACE, variantId);
    expect(() => renderChat(chat, [{ role: 'user', content: 'Who?' }])).toThrow(
      expect.objectContaining({ code: 'MODEL_UNSUPPORTED' }),
    );
  });

  it('says so when the file of a registered model is gone', async () => {
    const run = await register({ fileId: await upload(model) });
    await rm(await kit.artifacts.local(sha256(model)));
    const { variantId } = run.output as { variantId: string };
    await expect(kit.registry.variant(WORKSPACE, variantId)).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE' });
  });
});

describe('the default models', () => {
  let kit: RegistryKit;
  beforeAll(async () => {
    kit = await RegistryKit.start(worker.client, { realModels: true });
  });
  afterAll(() => kit.dispose());

  it('are ready after the first start, and not looked into again after that', async () => {
    expect(() => kit.registry.embedder()).toThrow(expect.objectContaining({ code: 'MODEL_UNAVAILABLE' }));
    await kit.registry.ensureDefaults(WORKSPACE);
    const inspections = jest.spyOn(worker.client, 'inspectModel');
    const variant = await kit.registry.ensureDefaults(WORKSPACE);
    // Nor where another workspace begins.
    await kit.registry.ensureDefaults(freshWorkspace());
    expect(inspections).not.toHaveBeenCalled();
    expect(variant).toMatchObject({
      model: 'smollm2-135m-instruct',
      architecture: 'llama',
      quantization: 'Q4_1',
      contextLength: 8_192,
      parameters: 134_515_008,
      licence: 'Apache-2.0',
      bytes: 98_362_432,
    });
    expect(renderChat(variant.chat, [{ role: 'user', content: 'Who?' }])[0]).toEqual({
      text: '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n<|im_start|>user\n',
      special: true,
    });
    expect(await kit.registry.defaultVariant(WORKSPACE)).toEqual(variant);
    expect(kit.registry.embedder()).toMatchObject({ name: 'all-minilm-l6-v2', dimensions: 384, maxTokens: 256 });
  });

  it('can be a model that was registered, by its name or by name and quantization', async () => {
    const { id } = await kit.upload(WORKSPACE, 'mine.gguf', tinyModel());
    await kit.ended(await kit.registry.register(WORKSPACE, { idempotencyKey: newId(), fileId: id as never }));
    for (const name of ['mine', 'mine@F32'])
      expect(await kit.withDefault(name).ensureDefaults(WORKSPACE)).toMatchObject({
        model: 'mine',
        quantization: 'F32',
      });
    for (const name of ['nobodys', 'mine@Q4_0'])
      await expect(kit.withDefault(name).ensureDefaults(WORKSPACE)).rejects.toMatchObject({
        code: 'SETUP_FAILED',
        message: expect.stringContaining(`"${name}"`),
      });
  });
});
