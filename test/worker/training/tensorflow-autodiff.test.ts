import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as TensorFlow from '@tensorflow/tfjs-core';
import type {} from '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';
import { loraScale } from '../../../gpu-worker/engines/training/model/adapter-layout.js';
import { gradientName, trainingGraph } from '../../../gpu-worker/engines/training/model/programs.js';
import { Bench, LONGEST, LORA, relativeError } from './support.js';

type Tensor = TensorFlow.Tensor;

/** TensorFlow.js’s module for Node leaves its gradients out; its source has them, in a form that only a bundler reads. */
async function withGradients(folder: string): Promise<typeof TensorFlow> {
  const root = process.cwd();
  const packages = join(root, 'node_modules', '@tensorflow');
  const imports = [
    'tfjs-core/dist/register_all_gradients.js',
    'tfjs-core/dist/public/chained_ops/register_all_chained_ops.js',
    'tfjs-backend-cpu/dist/index.js',
  ].map((file) => `import ${JSON.stringify(join(packages, file))};`);
  const entry = join(folder, 'entry.js');
  writeFileSync(
    entry,
    `export * from ${JSON.stringify(join(packages, 'tfjs-core/dist/index.js'))};\n${imports.join('\n')}`,
  );
  const config = join(folder, 'vite.config.mjs');
  const outDir = join(folder, 'bundle');
  const build = { ssr: entry, outDir, minify: false, rollupOptions: { output: { entryFileNames: 'tensorflow.mjs' } } };
  const options = { logLevel: 'error', root, publicDir: false, ssr: { noExternal: true }, build };
  writeFileSync(config, `export default ${JSON.stringify(options)}`);
  const vite = join(root, 'node_modules/vite/bin/vite.js');
  execFileSync(process.execPath, [vite, 'build', '--config', config], { stdio: 'inherit' });
  return (await import(pathToFileURL(join(outDir, 'tensorflow.mjs')).href)) as typeof TensorFlow;
}

/**
 * A llama written a second time, from the papers and straight in TensorFlow.js, one sequence at a time and nothing fused: what
 * it has in common with the graph is the names of the tensors.
 */
function independentLoss(
  tf: typeof TensorFlow,
  bench: Bench,
  adapter: ReadonlyMap<string, Tensor>,
  feeds: ReturnType<Bench['trainingFeeds']>,
): Tensor {
  const { hidden, heads, keyValueHeads, headSize, feedForward, layers, vocabulary, normEpsilon, ropeBase } =
    bench.config;
  const weight = (name: string, shape: number[]): Tensor => tf.tensor(bench.weights.read(name), shape);
  const norm = (x: Tensor, name: string): Tensor =>
    x.div(x.square().mean(-1, true).add(normEpsilon).sqrt()).mul(weight(name, [hidden]));
  const [rows, width] = feeds.positions!.shape as [number, number];
  const embedding = weight('embedding', [vocabulary, hidden]);
  const output = weight('output', [vocabulary, hidden]);

  const turn = (x: Tensor): Tensor => {
    const angles = tf
      .range(0, width)
      .expandDims(1)
      .mul(tf.pow(ropeBase, tf.range(0, headSize / 2).mul(-2 / headSize)).expandDims(0))
      .expandDims(1);
    const [a, b] = tf.split(x, 2, -1) as [Tensor, Tensor];
    return tf.concat([a.mul(angles.cos()).sub(b.mul(angles.sin())), a.mul(angles.sin()).add(b.mul(angles.cos()))], -1);
  };
  const states = Array.from({ length: rows }, (_, row) => {
    const ids = [...feeds.ids!.data.subarray(row * width, (row + 1) * width)];
    let x: Tensor = tf.gather(embedding, tf.tensor1d(ids, 'int32'));
    for (let layer = 0; layer < layers; layer++) {
      const project = (
        input: Tensor,
        group: string,
        from: number,
        size: number,
        total: number,
        target: string,
        nth: number,
      ): Tensor => {
        const inputs = input.shape[1]!;
        const w = weight(`layers.${layer}.${group}`, [total, inputs]).slice([from, 0], [size, inputs]);
        const a = adapter.get(`layers.${layer}.${group}.A`)!.slice([nth * LORA.rank, 0], [LORA.rank, inputs]);
        const b = adapter.get(`layers.${layer}.${target}.B`)!;
        return tf.matMul(input, w.add(tf.matMul(b, a).mul(loraScale(LORA))), false, true);
      };
      const q = heads * headSize;
      const kv = keyValueHeads * headSize;
      const input = norm(x, `layers.${layer}.attention_norm`);
      const all = 'query_key_value';
      const query = turn(project(input, all, 0, q, q + 2 * kv, 'q_proj', 0).reshape([width, heads, headSize]));
      const key = turn(project(input, all, q, kv, q + 2 * kv, 'k_proj', 1).reshape([width, keyValueHeads, headSize]));
      const value = project(input, all, q + kv, kv, q + 2 * kv, 'v_proj', 2).reshape([width, keyValueHeads, headSize]);
      const future = tf.linalg
        .bandPart(tf.ones([width, width]), -1, 0)
        .sub(1)
        .mul(1e9);
      const mixed = Array.from({ length: heads }, (_, head) => {
        const group = Math.floor((head * keyValueHeads) / heads);
        const one = (x: Tensor, index: number): Tensor => x.slice([0, index, 0], [width, 1, headSize]).squeeze([1]);
        const scores = tf.matMul(one(query, head), one(key, group), false, true).div(Math.sqrt(headSize)).add(future);
        return tf.matMul(tf.softmax(scores), one(value, group));
      });
      x = x.add(project(tf.concat(mixed, 1), 'attention_output', 0, hidden, hidden, 'o_proj', 0));
      const inner = norm(x, `layers.${layer}.feed_forward_norm`);
      const gate = project(inner, 'gate_up', 0, feedForward, 2 * feedForward, 'gate_proj', 0);
      const up = project(inner, 'gate_up', feedForward, feedForward, 2 * feedForward, 'up_proj', 1);
      x = x.add(project(gate.mul(gate.sigmoid()).mul(up), 'down', 0, hidden, hidden, 'down_proj', 0));
    }
    return norm(x, 'output_norm');
  });
  const chosen = tf.gather(tf.concat(states, 0), tf.tensor1d([...feeds.places!.data], 'int32'));
  const logits = tf.matMul(chosen, output, false, true);
  const logP = logits.sub(logits.logSumExp(-1, true));
  const labels = tf.oneHot(tf.tensor1d([...feeds.labels!.data], 'int32'), vocabulary);
  const answers = feeds.labels!.data.length;
  const crossEntropy = logP.slice([0, 0], [answers, vocabulary]).mul(labels).sum(-1, true).neg();
  // The teacher is given by its mean row of the output layer, so only sum(q * logits) of its cross-entropy is known: rest - that.
  const rest = logits.slice([answers, 0]).logSumExp(-1, true);
  const replayed = rest.sub(
    tf
      .tensor(feeds.teacher!.data, [...feeds.teacher!.shape])
      .mul(chosen.slice([answers, 0]))
      .sum(-1, true),
  );
  return tf
    .concat([crossEntropy, replayed], 0)
    .mul(tf.tensor(feeds.weights!.data, [...feeds.weights!.shape]))
    .sum();
}

describe('gradients of TensorFlow.js’s own differentiation', () => {
  it('agree with the graph’s, on a model that was written a second time', async () => {
    const bench = new Bench({ architecture: 'llama', seed: 4 });
    try {
      const tf = await withGradients(bench.folder);
      tf.enableProdMode();
      await tf.setBackend('cpu');
      const feeds = bench.trainingFeeds(6);
      const parameters = bench.adapterFeeds(bench.adapter(8));
      const graph = await (
        await bench.onnx.compile(trainingGraph(bench.config, LORA, LONGEST))
      ).run({ ...feeds, ...parameters });
      const variables = new Map(
        Object.entries(parameters).map(([name, { data, shape }]) => [
          name,
          tf.variable(tf.tensor(data, [...shape]), true, name),
        ]),
      );
      const { value, grads } = tf.variableGrads(
        () => independentLoss(tf, bench, variables, feeds).asScalar(),
        [...variables.values()],
      );
      const loss = graph.losses!.reduce((sum, x, i) => sum + x * feeds.weights!.data[i]!, 0);
      expect(value.dataSync()[0]).toBeCloseTo(loss, 4);
      for (const name of variables.keys())
        expect(relativeError(graph[gradientName(name)]!, grads[name]!.dataSync() as Float32Array)).toBeLessThan(2e-5);
    } finally {
      await bench.dispose();
    }
  }, 120_000);
});
