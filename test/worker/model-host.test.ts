import { setTimeout as sleep } from 'node:timers/promises';
import { ModelHost, type HostedModel } from '../../gpu-worker/engines/inference/model-host.js';
import type { ModelFile } from '../../src/worker-protocol/index.js';
import { until } from '../support/eventually.js';

/** A host whose loads are counted, which nothing tells of a real one. */
class CountedHost extends ModelHost {
  readonly loads = new Map<string, number>();

  constructor(models: number) {
    super({} as never, { models } as never, {} as never);
    Object.assign(this, {
      load: async ({ sha256 }: ModelFile) => {
        this.loads.set(sha256, (this.loads.get(sha256) ?? 0) + 1);
        await sleep(1);
        return { model: { dispose: () => Promise.resolve() } } as HostedModel;
      },
    });
  }
}

const model = (sha256: string) => ({ sha256 }) as ModelFile;

describe('models in memory', () => {
  it('are loaded once for a look at tokens and the answer behind it, while as many as are kept answer others', async () => {
    const host = new CountedHost(2);
    const answered = async (name: string, answer: () => Promise<void>) => {
      await host.use(model(name), () => Promise.resolve());
      await sleep(5);
      await host.use(model(name), answer);
      await host.trim();
    };
    let [answering, end] = [0, (): void => undefined];
    const ended = new Promise<void>((resolve) => (end = resolve));
    const busy = ['b', 'c'].map((name) => answered(name, () => (answering++, ended)));
    await until(() => answering === 2);
    for (let n = 0; n < 3; n++) await host.use(model('a'), () => Promise.resolve());
    await answered('a', () => sleep(1));
    end();
    await Promise.all(busy);
    expect(Object.fromEntries(host.loads)).toEqual({ a: 1, b: 1, c: 1 });
    expect(host.loaded).toHaveLength(2);
  });
});
