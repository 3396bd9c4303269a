import { existsSync, mkdtempSync, rmSync, symlinkSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { ModelFile } from '../../src/worker-protocol/index.js';
import { realModel, startWorker, workspaceId, type TestWorker } from '../support/worker.js';

// Starting real processes takes long where the cores are shared.
jest.setTimeout(180_000);

const CANDIDATES = Array.from({ length: 1_000 }, (_, token) => 100 + token);

describe('the form in which a model is served', () => {
  let folder: string;
  let model: ModelFile;
  const workers: TestWorker[] = [];
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'graft-models-'));
    const real = await realModel();
    model = { ...real, path: join(folder, basename(real.path)) };
    symlinkSync(real.path, model.path);
  });
  afterAll(async () => {
    for (const worker of workers) await worker.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  const form = () => join(folder, 'served', `${model.sha256}.Q8_0.gguf`);
  const made = ({ log }: TestWorker) =>
    log.filter(({ message }) => message === 'made the form in which the model is served').length;
  const start = async () => {
    const worker = await startWorker();
    workers.push(worker);
    return worker;
  };
  /** Log-probabilities of a thousand tokens. */
  const scores = async ({ client }: TestWorker, file = model) => {
    const prompt = [{ text: 'The harbour was calm, and all the boats were out at', special: false }];
    const { logProbabilities } = await client.scoreNext({
      workspaceId,
      model: file,
      fresh: true,
      prompt,
      candidates: CANDIDATES,
    });
    return logProbabilities;
  };

  it('is made once, holds the same model, and is made anew when it is damaged', async () => {
    const first = await start();
    const served = await scores(first);
    expect([made(first), existsSync(form())]).toEqual([1, true]);

    const again = await start();
    expect(await scores(again)).toEqual(served);
    expect(made(again)).toBe(0);

    truncateSync(form(), 50_000_000);
    const repaired = await start();
    expect(await scores(repaired)).toEqual(served);
    expect(made(repaired)).toBe(1);

    // Where there can be no folder, the file itself is served.
    rmSync(join(folder, 'served'), { recursive: true });
    symlinkSync('/dev/null', join(folder, 'served'));
    const own = await start();
    const unchanged = await scores(own);
    expect(own.log.map(({ message }) => message)).toContain(
      'the model is served as it lies there, which may be slower',
    );
    // One of 254 steps a weight, where four bits have fifteen.
    expect(unchanged).not.toEqual(served);
    const likely = CANDIDATES.map((_, at) => at).filter((at) => unchanged[at]! > -8);
    expect(likely.length).toBeGreaterThan(20);
    for (const at of likely) expect(Math.abs(served[at]! - unchanged[at]!)).toBeLessThan(0.5);
  });
});
