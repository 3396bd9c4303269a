import { adapterLayout, viewOf } from '../../../gpu-worker/engines/training/model/adapter-layout.js';
import { gradientName, trainingGraph } from '../../../gpu-worker/engines/training/model/programs.js';
import { TRAINABLE } from '../../../gpu-worker/engines/training/model/config.js';
import { seededRandom } from '../../../src/kernel/random.js';
import { Bench, LONGEST, LORA, relativeError } from './support.js';

describe.each(TRAINABLE)('gradients of %s', (architecture) => {
  let bench: Bench;
  beforeAll(() => {
    bench = new Bench({ architecture, seed: 3, tiedOutput: architecture === 'llama' });
  });
  afterAll(() => bench.dispose());

  it('agree with finite differences of the loss', async () => {
    const program = await bench.onnx.compile(trainingGraph(bench.config, LORA, LONGEST));
    const feeds = bench.trainingFeeds(5);
    const flat = bench.adapter(7);
    const loss = async (): Promise<number> => {
      const { losses } = await program.run({ ...feeds, ...bench.adapterFeeds(flat) });
      return losses!.reduce((sum, value, index) => sum + value * feeds.weights!.data[index]!, 0);
    };
    const outputs = await program.run({ ...feeds, ...bench.adapterFeeds(flat) });
    const gradients = new Map(Object.entries(outputs).map(([name, data]) => [name, data.slice()]));
    const random = seededRandom(11);
    // One random direction for each parameter: the slope along it is the scalar product with the gradient.
    for (const parameter of adapterLayout(bench.config, LORA).parameters) {
      const gradient = gradients.get(gradientName(parameter.name))!;
      const view = viewOf(flat, parameter);
      const before = view.slice();
      const direction = view.map(() => random() - 0.5);
      const step = 0.02 / Math.sqrt(direction.reduce((sum, x) => sum + x * x, 0));
      const at = async (sign: number): Promise<number> => {
        view.forEach((_, i) => (view[i] = before[i]! + sign * step * direction[i]!));
        return loss();
      };
      const slope = ((await at(1)) - (await at(-1))) / (2 * step);
      view.set(before);
      const expected = gradient.reduce((sum, value, i) => sum + value * direction[i]!, 0);
      const size = Math.sqrt(gradient.reduce((sum, value) => sum + value * value, 0));
      expect(Math.abs(slope - expected)).toBeLessThan(0.02 * size + 2e-3);
    }
  });

  it('are the same from both executors', async () => {
    const graph = trainingGraph(bench.config, LORA, LONGEST);
    const feeds = { ...bench.trainingFeeds(5), ...bench.adapterFeeds(bench.adapter(7)) };
    const onnx = await (await bench.onnx.compile(graph)).run(feeds);
    const tensorflow = await (await bench.tensorflow.compile(graph)).run(feeds);
    expect(Object.keys(onnx).sort()).toEqual(Object.keys(tensorflow).sort());
    for (const [name, data] of Object.entries(onnx)) expect(relativeError(data, tensorflow[name]!)).toBeLessThan(2e-5);
  });
});
