import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ErrorCode } from '../../../src/kernel/error-codes.js';
import { GraftError } from '../../../src/kernel/errors.js';
import { sha256 } from '../../../src/kernel/hashing.js';
import { DEFAULT_WORKSPACE_ID } from '../../../src/kernel/ids.js';
import { ModelsOnDisk, type GeneratorEntry } from '../../../src/platform/models-on-disk/index.js';
import { silentLogger } from '../../../src/platform/telemetry/index.js';
import { MeasurementStore, type WorkerClient } from '../../../src/platform/worker/index.js';
import { memoryOf } from '../../../src/sources/registry/recommending/memory.js';
import {
  modelChoice,
  ModelRecommender,
  type ModelRecommenderParts,
} from '../../../src/sources/registry/recommending/recommender.js';
import type { ThreadCalibration } from '../../../src/worker-protocol/index.js';
import { TINY_CONTEXT, tinyModel } from '../../support/tiny-model.js';
import { sharedWorker, startWorker, type TestWorker } from '../../support/worker.js';
import { HubServer } from '../platform/hub-server.js';

const WORKSPACE = DEFAULT_WORKSPACE_ID;
const REPO = 'tests/tiny';

describe('GRAFT_MODEL=auto', () => {
  let worker: TestWorker;
  beforeAll(async () => {
    worker = await sharedWorker();
  });
  let folder: string;
  let hub: HubServer;
  const contents = new Map<string, Buffer>();

  /** A model of random weights that claims to be so large; what follows from its shape is as fast as it says. */
  const entryOf = (name: string, seed: number, parameters: number, layerWeights = 1e5): GeneratorEntry => {
    const content = tinyModel({ seed });
    contents.set(name, content);
    const file = `${name}.gguf`;
    return {
      name,
      kind: 'generator',
      licence: 'Apache-2.0',
      parameters,
      contextLength: TINY_CONTEXT,
      shape: { layers: 2, width: 64, vocabulary: 274, layerWeights, contextBytes: 256, quantization: 'F32' },
      reader: name === 'small',
      files: [
        {
          role: 'model',
          file,
          sha256: sha256(content),
          bytes: content.length,
          sources: [{ hub: { repo: REPO, file } }],
        },
      ],
    };
  };
  let small: GeneratorEntry, middle: GeneratorEntry, large: GeneratorEntry, slow: GeneratorEntry;
  let all: GeneratorEntry[];

  const put = async ({ name }: GeneratorEntry) => {
    await mkdir(join(folder, name), { recursive: true });
    await writeFile(join(folder, name, `${name}.gguf`), contents.get(name)!);
  };
  const offered = ({ name }: GeneratorEntry) =>
    hub.files.set(`/${REPO}/resolve/main/${name}.gguf`, { content: contents.get(name)! });
  const keptChoices = async () =>
    Object.values(
      JSON.parse(await readFile(join(folder, 'chosen-model.json'), 'utf8')) as Record<string, { model: string }>,
    ).map(({ model }) => model);
  const askedFor = (name: string) => hub.requests.some(({ url }) => url?.includes(`${name}.gguf`));

  type Worker = ModelRecommenderParts['worker'];
  /** The worker but for what is given; `prepared` gets the names of the models that it was to load. */
  const workerBut = (given: Partial<Worker>, prepared: string[] = []): Worker => ({
    measured: (...call) => worker.client.measured(...call),
    get status() {
      return worker.client.status;
    },
    ...given,
    prepareModel: (...call) => {
      const name = all.find(({ files }) => files[0]!.sha256 === call[0].model.sha256)!.name;
      prepared.push(name);
      if (prepared.length > 8) throw new Error('the same models are loaded again and again');
      return (given.prepareModel ?? worker.client.prepareModel.bind(worker.client))(...call);
    },
  });
  const is = ({ files }: GeneratorEntry, { model }: { model: { sha256: string } }) => files[0]!.sha256 === model.sha256;
  /** The worker, which fails so when it is to load this model. */
  const failing = (entry: GeneratorEntry, code: ErrorCode): Worker =>
    workerBut({
      prepareModel: (request) =>
        is(entry, request)
          ? Promise.reject(new GraftError(code, 'It fails this time.'))
          : worker.client.prepareModel(request),
    });
  /** More than half of 2^40 bytes is needed for it. */
  const heavy = (entry: GeneratorEntry): GeneratorEntry => ({ ...entry, shape: { ...entry.shape, vocabulary: 1e9 } });

  const opened = (given: Partial<ModelRecommenderParts> = {}) => {
    const answerWith = jest.fn<void, [string]>();
    const warnings: string[] = [];
    const log = silentLogger();
    jest.spyOn(log, 'warn').mockImplementation(((fields: { model: string }) => {
      warnings.push(fields.model);
    }) as typeof log.warn);
    const recommender = new ModelRecommender({
      modelsOnDisk: new ModelsOnDisk({
        folder,
        hubEndpoint: hub.url,
        log: silentLogger(),
        packageIndexes: () => ({ urls: [], certificates: null }),
        entryOf: (name) => all.find((entry) => entry.name === name),
      }),
      worker: worker.client,
      registry: { answerWith, defaultVariant: () => Promise.reject(new Error('is not asked for')) },
      choices: new MeasurementStore(join(folder, 'chosen-model.json'), modelChoice),
      bounds: { seconds: 600, memoryBytes: 2 ** 40 },
      log,
      entries: all,
      ...given,
    });
    const settled = async () => {
      await recommender.settle(WORKSPACE);
      return answerWith.mock.calls.at(-1)?.[0];
    };
    return { recommender, settled, warnings };
  };

  // New ones each time: the worker, which all files of this process ask, keeps what it measured.
  let seed = 7_000;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'graft-recommending-'));
    hub = await HubServer.start();
    small = entryOf('small', ++seed, 1e8);
    middle = entryOf('middle', ++seed, 1e9);
    large = entryOf('large', ++seed, 2e9);
    slow = entryOf('slow', ++seed, 3e9, 1e15);
    all = [small, middle, large, slow];
  });
  afterEach(async () => {
    await hub.close();
    await rm(folder, { recursive: true });
  });

  it('measures what is here, then fetches and measures the largest that is expected to answer in time', async () => {
    await put(small);
    for (const entry of all) offered(entry);
    const { recommender, settled, warnings } = opened();
    expect(await settled()).toBe('large');
    expect(warnings).toEqual([]);
    expect(['small', 'middle', 'slow'].filter(askedFor)).toEqual([]);
    const { models } = await recommender.recommendations(WORKSPACE);
    expect(models.map(({ entry, here, measuredOn, fit }) => [entry.name, here, measuredOn, fit])).toEqual(
      expect.arrayContaining([
        ['small', true, 'small', 'FAST_ENOUGH'],
        ['middle', false, expect.stringMatching(/small|large/), 'FAST_ENOUGH'],
        ['large', true, 'large', 'RECOMMENDED'],
        ['slow', false, expect.stringMatching(/small|large/), 'TOO_SLOW'],
      ]),
    );
  });

  it('takes what is here where nothing can be fetched, and says what it passed over', async () => {
    await put(middle);
    await hub.close();
    const { settled, warnings } = opened();
    expect(await settled()).toBe('middle');
    expect(warnings).toEqual(['large']);
    hub = await HubServer.start();
  });

  it('passes over a file that is not what the catalogue says', async () => {
    await put(small);
    hub.files.set(`/${REPO}/resolve/main/large.gguf`, { content: Buffer.alloc(contents.get('large')!.length) });
    offered(middle);
    const { settled, warnings } = opened();
    expect(await settled()).toBe('middle');
    expect(warnings).toEqual(['large']);
  });

  it('keeps to its choice, though another one would be made now', async () => {
    await put(middle);
    expect(await opened().settled()).toBe('middle');
    for (const entry of all) offered(entry);
    expect(await opened().settled()).toBe('middle');
    // Who asks for something else gets it, and is told that the choice changed.
    const { settled, warnings } = opened({ bounds: { seconds: 599, memoryBytes: 2 ** 40 } });
    expect(await settled()).toBe('large');
    expect(warnings).toEqual(['large']);
  });

  it('keeps to its choice with other memory, while that can hold it', async () => {
    await put(middle);
    expect(await opened().settled()).toBe('middle');
    for (const entry of all) offered(entry);
    for (const memoryBytes of [2 ** 40 - 2 ** 32, 2 ** 41, memoryOf(middle) + 1])
      expect(await opened({ bounds: { seconds: 600, memoryBytes } }).settled()).toBe('middle');
    const prepared: string[] = [];
    const { settled, warnings } = opened({
      bounds: { seconds: 600, memoryBytes: 2 ** 39 },
      entries: all.map((entry) => (entry === middle ? heavy(entry) : entry)),
      worker: workerBut({}, prepared),
    });
    expect(await settled()).toBe('large');
    expect([prepared.includes('middle'), warnings]).toEqual([false, ['large']]);
  });

  it.each<ErrorCode>(['DEADLINE_EXCEEDED', 'STORAGE_FAILED', 'WORKER_CRASHED', 'WORKER_UNAVAILABLE'])(
    'doesn’t start with another model than the kept one where that fails with %s, and keeps to it',
    async (code) => {
      await put(middle);
      expect(await opened().settled()).toBe('middle');
      for (const entry of all) offered(entry);
      const { settled } = opened({ worker: failing(middle, code) });
      await expect(settled()).rejects.toMatchObject({
        code,
        message: expect.stringContaining('middle') as string,
        hint: expect.stringContaining('chosen-model.json') as string,
      });
      expect(await keptChoices()).toEqual(['middle']);
      expect(await opened().settled()).toBe('middle');
    },
  );

  it('doesn’t start with another model where the file of the kept one is gone and can’t be fetched', async () => {
    await put(middle);
    expect(await opened().settled()).toBe('middle');
    await rm(join(folder, 'middle'), { recursive: true });
    await put(large);
    await expect(opened().settled()).rejects.toMatchObject({
      code: 'MODEL_UNAVAILABLE',
      hint: expect.stringContaining('chosen-model.json') as string,
    });
    expect(await keptChoices()).toEqual(['middle']);
  });

  it('chooses anew, and warns, where the kept model can’t be served by this release', async () => {
    await put(middle);
    expect(await opened().settled()).toBe('middle');
    offered(large);
    const { settled, warnings } = opened({ worker: failing(middle, 'MODEL_UNSUPPORTED') });
    expect(await settled()).toBe('large');
    expect(warnings).toEqual(['middle', 'large']);
    expect(await keptChoices()).toEqual(['large']);
  });

  it('chooses anew, and warns, where the catalogue no longer has the kept model', async () => {
    await put(middle);
    expect(await opened().settled()).toBe('middle');
    await put(small);
    offered(large);
    const { settled, warnings } = opened({ entries: [small, large] });
    expect(await settled()).toBe('large');
    expect(warnings).toEqual(['large']);
  });

  it.each(['', '{"a machine": {"mod', 'null'])('starts where what it kept can’t be read: %j', async (text) => {
    await put(middle);
    await writeFile(join(folder, 'chosen-model.json'), text);
    expect(await opened().settled()).toBe('middle');
    expect(await keptChoices()).toEqual(['middle']);
  });

  it('passes over a model that the worker dies of', async () => {
    for (const entry of [small, middle, large]) await put(entry);
    const { settled, warnings } = opened({ worker: failing(large, 'WORKER_CRASHED') });
    expect(await settled()).toBe('middle');
    expect(warnings).toEqual(['large']);
  });

  it('passes over a model of which no speed could be measured, and a start goes on without', async () => {
    await put(small);
    offered(middle);
    const speedless: ThreadCalibration = { threads: { prefill: 1, decode: 1 }, quiet: true, measurements: [] };
    const { recommender, settled, warnings } = opened({
      worker: workerBut({
        prepareModel: (request) =>
          is(small, request) ? Promise.resolve(speedless) : worker.client.prepareModel(request),
      }),
    });
    await expect(recommender.tell(WORKSPACE)).resolves.toBeUndefined();
    expect(warnings.splice(0)).toHaveLength(1);
    expect(await settled()).toBe('middle');
    expect(warnings).toEqual(['small', 'large']);
  });

  it('gives up a model that turns out slower than was expected', async () => {
    for (const entry of [small, middle, large]) await put(entry);
    const crawling: ThreadCalibration = {
      threads: { prefill: 1, decode: 1 },
      quiet: true,
      measurements: [{ threads: 1, prefillTokensPerSecond: 0.5, decodeTokensPerSecond: 0.5 }],
    };
    const measured: WorkerClient['measured'] = async (digests) => {
      const found = await worker.client.measured(digests);
      return found.map((one, index) => (one && digests[index] === large.files[0]!.sha256 ? crawling : one));
    };
    const { recommender, settled } = opened({ worker: workerBut({ measured }) });
    expect(await settled()).toBe('middle');
    const { models } = await recommender.recommendations(WORKSPACE);
    expect(models.find(({ entry }) => entry === large)).toMatchObject({ fit: 'TOO_SLOW', measuredOn: 'large' });
  });

  it('says so where no model can be had at all', async () => {
    await expect(opened().settled()).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE' });
  });

  it('holds to half of the memory', async () => {
    await put(small);
    const prepared: string[] = [];
    const { settled } = opened({ bounds: { seconds: 600, memoryBytes: 1 }, worker: workerBut({}, prepared) });
    await expect(settled()).rejects.toMatchObject({
      code: 'MODEL_UNAVAILABLE',
      hint: expect.stringContaining('GRAFT_MODEL') as string,
    });
    expect(prepared).toEqual([]);
  });

  it('measures no model that memory can’t hold, though no other is here', async () => {
    await put(large);
    offered(small);
    const prepared: string[] = [];
    const { settled } = opened({
      entries: all.map((entry) => (entry === large ? heavy(entry) : entry)),
      worker: workerBut({}, prepared),
    });
    expect(await settled()).toBe('small');
    expect(prepared).not.toContain('large');
  });
});

describe('what is recommended', () => {
  it('is scaled from the default where no model of the catalogue was measured, and refused where none was', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'graft-recommending-'));
    // Its own: another file may have had a model of the catalogue measured.
    const worker = await startWorker();
    try {
      const content = tinyModel();
      const own = {
        path: join(folder, 'own.gguf'),
        sha256: sha256(content),
        contextLength: TINY_CONTEXT,
      };
      await writeFile(own.path, content);
      const variant = { ...own, model: 'own', quantization: 'F32', parameters: 130_000, bytes: content.length };
      const recommender = new ModelRecommender({
        modelsOnDisk: new ModelsOnDisk({
          folder,
          log: silentLogger(),
          packageIndexes: () => ({ urls: [], certificates: null }),
        }),
        worker: worker.client,
        registry: { answerWith: () => undefined, defaultVariant: () => Promise.resolve(variant as never) },
        choices: new MeasurementStore(join(folder, 'chosen-model.json'), modelChoice),
        bounds: { seconds: 10, memoryBytes: 2 ** 40 },
        log: silentLogger(),
      });
      await expect(recommender.recommendations(WORKSPACE)).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE' });
      await worker.client.prepareModel({ workspaceId: WORKSPACE, model: own });
      const { models } = await recommender.recommendations(WORKSPACE);
      expect(models.length).toBeGreaterThanOrEqual(8);
      for (const { measuredOn, here, seconds } of models) {
        expect([measuredOn, here]).toEqual(['own@F32', false]);
        expect(seconds).toBeGreaterThan(0);
      }
      expect(models.filter(({ fit }) => fit === 'RECOMMENDED')).toHaveLength(1);
    } finally {
      await worker.dispose();
      await rm(folder, { recursive: true });
    }
  });
});
