import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { sha256 } from '../../../src/kernel/hashing.js';
import { DEFAULT_WORKSPACE_ID } from '../../../src/kernel/ids.js';
import { ModelsOnDisk, type GeneratorEntry } from '../../../src/platform/models-on-disk/index.js';
import { silentLogger } from '../../../src/platform/telemetry/index.js';
import { MeasurementStore, type WorkerClient } from '../../../src/platform/worker/index.js';
import {
  modelChoice,
  ModelRecommender,
  type ModelRecommenderParts,
} from '../../../src/registry/recommending/recommender.js';
import type { ThreadCalibration } from '../../../src/worker-protocol/index.js';
import { TINY_CONTEXT, tinyModel } from '../../support/tiny-model.js';
import { startWorker, type TestWorker } from '../../support/worker.js';
import { HubServer } from '../platform/hub-server.js';

const WORKSPACE = DEFAULT_WORKSPACE_ID;
const REPO = 'tests/tiny';

let worker: TestWorker;
beforeEach(async () => {
  worker = await startWorker();
});
afterEach(() => worker.dispose());

describe('GRAFT_MODEL=auto', () => {
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
  const small = entryOf('small', 1, 1e8);
  const middle = entryOf('middle', 2, 1e9);
  const large = entryOf('large', 3, 2e9);
  const slow = entryOf('slow', 4, 3e9, 1e15);
  const all = [small, middle, large, slow];

  const put = async ({ name }: GeneratorEntry) => {
    await mkdir(join(folder, name), { recursive: true });
    await writeFile(join(folder, name, `${name}.gguf`), contents.get(name)!);
  };
  const offered = ({ name }: GeneratorEntry) =>
    hub.files.set(`/${REPO}/resolve/main/${name}.gguf`, { content: contents.get(name)! });
  const askedFor = (name: string) => hub.requests.some(({ url }) => url?.includes(`${name}.gguf`));

  const opened = (given: Partial<ModelRecommenderParts> = {}) => {
    const answerWith = jest.fn<(name: string) => void>();
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
        pythons: [],
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

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'graft-recommending-'));
    hub = await HubServer.start();
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
    // Who asks for something else gets it.
    expect(await opened({ bounds: { seconds: 599, memoryBytes: 2 ** 40 } }).settled()).toBe('large');
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
    const client = worker.client;
    const { recommender, settled } = opened({
      worker: {
        measured,
        prepareModel: (...call) => client.prepareModel(...call),
        get status() {
          return client.status;
        },
      },
    });
    expect(await settled()).toBe('middle');
    const { models } = await recommender.recommendations(WORKSPACE);
    expect(models.find(({ entry }) => entry === large)).toMatchObject({ fit: 'TOO_SLOW', measuredOn: 'large' });
  });

  it('says so where no model can be had at all', async () => {
    await expect(opened().settled()).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE' });
  });

  it('holds to half of the memory', async () => {
    await put(small);
    const { settled } = opened({ bounds: { seconds: 600, memoryBytes: 1 } });
    await expect(settled()).rejects.toMatchObject({
      code: 'MODEL_UNAVAILABLE',
      hint: expect.stringContaining('GRAFT_MODEL') as string,
    });
  });
});

describe('what is recommended', () => {
  it('is scaled from the default where no model of the catalogue was measured, and refused where none was', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'graft-recommending-'));
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
        modelsOnDisk: new ModelsOnDisk({ folder, log: silentLogger(), pythons: [] }),
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
      await rm(folder, { recursive: true });
    }
  });
});
