import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { readPeftAdapter } from '../../../gpu-worker/formats/peft/peft-adapter.js';
import { mergeAdapter } from '../../../gpu-worker/engines/training/merge-adapter.js';
import { fromPairs, toGgufLora } from '../../../gpu-worker/engines/training/model/adapter-files.js';
import { adapterLayout } from '../../../gpu-worker/engines/training/model/adapter-layout.js';
import type { DecoderConfig } from '../../../gpu-worker/engines/training/model/config.js';
import { GgufWeights } from '../../../gpu-worker/engines/training/model/gguf-weights.js';
import { logitsGraph } from '../../../gpu-worker/engines/training/model/programs.js';
import { indices, packSequences } from '../../../gpu-worker/engines/training/trainer/pack.js';
import { adapterFeeds } from '../../../gpu-worker/engines/training/trainer/step.js';
import { decodeSafetensors, encodeSafetensors, type NamedTensor } from '../../../src/kernel/safetensors.js';
import { sha256 } from '../../../src/kernel/hashing.js';
import { zipOf } from '../../../src/learn/training/exports/zip-of.js';
import { Python } from '../../support/python.js';
import { itWhen } from '../../support/skip.js';
import { writeTinyModel } from '../../support/tiny-model.js';
import { writePeft } from '../../support/tiny-peft.js';
import { Bench, LONGEST, relativeError } from './support.js';

// Making the environment downloads PyTorch once.
jest.setTimeout(900_000);

const PACKAGES = ['torch==2.13.0', 'transformers==5.24.0', 'peft==0.21.2', 'safetensors==0.8.0'];
const python = await Python.with(PACKAGES);
const [ready, reason] = typeof python === 'string' ? [null, python] : [python, ''];

/**
 * Unpacks the archive that we export, loads it with `peft` onto our base model's weights, and tells the logits; then what peft's own
 * merging makes of each layer.
 */
const LOAD_AND_MERGE = `
import json, sys, torch, zipfile
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig, LlamaForCausalLM
from peft import PeftModel
wish = json.load(sys.stdin)
zipfile.ZipFile(wish["archive"]).extractall(wish["folder"])
model = LlamaForCausalLM(LlamaConfig(**wish["config"])).float().eval()
missing = model.load_state_dict(load_file(wish["weights"]), strict=False)
assert not missing.unexpected_keys and not missing.missing_keys, missing
adapted = PeftModel.from_pretrained(model, wish["folder"]).eval()
with torch.no_grad():
    logits = adapted(torch.tensor([wish["ids"]])).logits[0]
merged = adapted.merge_and_unload()
save_file({name: value.contiguous().clone() for name, value in merged.state_dict().items() if "layers." in name}, wish["merged"])
json.dump({"logits": logits.flatten().tolist()}, sys.stdout)
`;

/** Loads our folder with `peft` on a model of the same sizes, tells what it changes, and saves it again. */
const LOAD_AND_SAVE = `
import json, sys, torch
from transformers import LlamaConfig, LlamaForCausalLM
from peft import PeftModel
wish = json.load(sys.stdin)
torch.manual_seed(0)
model = LlamaForCausalLM(LlamaConfig(**wish["config"]))
adapted = PeftModel.from_pretrained(model, wish["folder"])
changes = {}
for name, module in adapted.named_modules():
    if hasattr(module, "lora_A") and "default" in module.lora_A:
        changes[name] = float(module.get_delta_weight("default").double().norm())
ids = torch.arange(1, 9).unsqueeze(0)
with torch.no_grad():
    on = adapted(ids).logits
    with adapted.disable_adapter():
        off = adapted(ids).logits
adapted.save_pretrained(wish["out"], safe_serialization=True)
json.dump({"changes": changes, "effect": float((on - off).abs().max())}, sys.stdout)
`;

describe('an adapter of ours in Python’s peft', () => {
  const folder = mkdtempSync(join(tmpdir(), 'graft-peft-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  itWhen(ready !== null, reason)('is loaded whole, changes what ours changes, and comes back bit for bit', async () => {
    const model = writeTinyModel(join(folder, 'tiny.gguf'), { variedGains: true });
    const { config } = new GgufWeights(model.path, 1);
    const [ours, theirs] = [join(folder, 'ours'), join(folder, 'theirs')];
    const { gguf } = await writePeft(ours, model, { seed: 7 });
    const { changes, effect } = await ready!.ask<{ changes: Record<string, number>; effect: number }>(LOAD_AND_SAVE, {
      folder: ours,
      out: theirs,
      config: configOf(config),
    });
    expect(effect).toBeGreaterThan(0);

    const adapter = await readPeftAdapter(ours);
    expect(Object.keys(changes)).toHaveLength(adapter.pairs.length);
    for (const { layer, target, a, b } of adapter.pairs) {
      const [name] = Object.keys(changes).filter((each) => each.endsWith(target) && each.includes(`layers.${layer}.`));
      const norm = normOfProduct(b, a, adapter.rank) * (adapter.alpha / adapter.rank);
      expect(changes[name!]! / norm).toBeCloseTo(1, 4);
    }
    const back = await readPeftAdapter(theirs);
    expect(toGgufLora({ ...back, baseModel: adapter.baseModel, pairs: sorted(back.pairs) }, config)).toEqual(
      toGgufLora({ ...adapter, pairs: sorted(adapter.pairs) }, config),
    );
    expect(gguf.length).toBe(toGgufLora(adapter, config).length);
  });
});

describe('an adapter that we export and merge', () => {
  itWhen(ready !== null, reason)(
    'has in peft the logits that it has here, and becomes the weights that peft makes',
    async () => {
      const bench = new Bench({ seed: 9 });
      try {
        const { config, folder } = bench;
        const model = { path: bench.path, sha256: sha256(readFileSync(bench.path)), contextLength: 2_048 };
        const ours = join(folder, 'ours');
        await writePeft(ours, model, { seed: 7 });
        const files = ['adapter_config.json', 'adapter_model.safetensors'].map((name) => join(ours, name));
        const archive = join(folder, 'adapter.zip');
        const members = files.map((path) => ({ name: basename(path), content: readFileSync(path) }));
        writeFileSync(archive, await buffer(zipOf(members)));
        const weights = join(folder, 'base.safetensors');
        writeFileSync(
          weights,
          encodeSafetensors({ metadata: { format: 'pt' }, tensors: asTransformers(bench.weights) }),
        );
        const [ids] = bench.sequences([24], 2) as [Int32Array];
        const { logits } = await ready!.ask<{ logits: number[] }>(LOAD_AND_MERGE, {
          archive,
          folder: join(folder, 'theirs'),
          weights,
          merged: join(folder, 'merged.safetensors'),
          ids: [...ids],
          config: configOf(config),
        });

        const adapter = await readPeftAdapter(ours);
        const { flat, lora } = fromPairs(adapter, config);
        const program = await bench.onnx.compile(logitsGraph(config, lora, LONGEST));
        const { feeds } = packSequences([ids], config);
        const found = await program.run({
          ...feeds,
          places: indices([...ids].map((_, place) => place)),
          ...adapterFeeds(adapterLayout(config, lora).parameters, flat),
        });
        expect(relativeError(found.logits!, Float32Array.from(logits))).toBeLessThan(1e-4);

        const [settings, tensors] = files.map((path) => ({ path, sha256: sha256(readFileSync(path)) }));
        const target = join(folder, 'merged.gguf');
        const job = {
          model,
          adapter: { config: settings!, weights: tensors! },
          scale: 1,
          type: null,
          name: 'x',
          target,
        };
        await mergeAdapter(job, { progress: () => undefined, turn: async () => undefined });
        const theirs = decodeSafetensors(readFileSync(join(folder, 'merged.safetensors'))).tensors;
        const merged = asTransformers(new GgufWeights(target, 1));
        for (const [name, { data }] of merged)
          if (name.includes('layers.')) expect(relativeError(data, theirs.get(name)!.data)).toBeLessThan(1e-6);
      } finally {
        await bench.dispose();
      }
    },
  );
});

const configOf = (config: DecoderConfig) => ({
  hidden_size: config.hidden,
  num_hidden_layers: config.layers,
  vocab_size: config.vocabulary,
  num_attention_heads: config.heads,
  num_key_value_heads: config.keyValueHeads,
  rms_norm_eps: config.normEpsilon,
  head_dim: config.headSize,
  intermediate_size: config.feedForward,
  rope_theta: config.ropeBase,
});

/** Our base model's weights under the names of `transformers`. */
function asTransformers(weights: GgufWeights): Map<string, NamedTensor> {
  const { hidden, vocabulary, heads, keyValueHeads, headSize, feedForward, layers } = weights.config;
  const tensors = new Map<string, NamedTensor>();
  const put = (name: string, data: Float32Array, rows?: number): unknown =>
    tensors.set(name, { shape: rows === undefined ? [data.length] : [rows, data.length / rows], data });
  /** Layers that we hold one below the other. */
  const split = (from: string, parts: [name: string, rows: number][], width: number): void => {
    const all = weights.read(from);
    let at = 0;
    for (const [name, rows] of parts) put(name, all.slice(at, (at += rows * width)), rows);
  };
  put('model.embed_tokens.weight', weights.read('embedding'), vocabulary);
  put('lm_head.weight', weights.read('output'), vocabulary);
  put('model.norm.weight', weights.read('output_norm'));
  for (let layer = 0; layer < layers; layer++) {
    const [ours, theirs] = [`layers.${layer}`, `model.layers.${layer}`];
    put(`${theirs}.input_layernorm.weight`, weights.read(`${ours}.attention_norm`));
    put(`${theirs}.post_attention_layernorm.weight`, weights.read(`${ours}.feed_forward_norm`));
    const [queries, keys] = [heads * headSize, keyValueHeads * headSize];
    const attention = (part: string): string => `${theirs}.self_attn.${part}_proj.weight`;
    split(
      `${ours}.query_key_value`,
      [
        [attention('q'), queries],
        [attention('k'), keys],
        [attention('v'), keys],
      ],
      hidden,
    );
    put(attention('o'), weights.read(`${ours}.attention_output`), hidden);
    const network = (part: string): string => `${theirs}.mlp.${part}_proj.weight`;
    split(
      `${ours}.gate_up`,
      [
        [network('gate'), feedForward],
        [network('up'), feedForward],
      ],
      hidden,
    );
    put(network('down'), weights.read(`${ours}.down`), hidden);
  }
  return tensors;
}

const sorted = <P extends { layer: number; target: string }>(pairs: readonly P[]): P[] =>
  [...pairs].sort((x, y) => x.layer - y.layer || (x.target < y.target ? -1 : 1));

/** Frobenius norm of B A. b [out, rank], a [rank, in] */
function normOfProduct(b: Float32Array, a: Float32Array, rank: number): number {
  const [rows, width] = [b.length / rank, a.length / rank];
  let sum = 0;
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < width; j++) {
      let value = 0;
      for (let r = 0; r < rank; r++) value += b[i * rank + r]! * a[r * width + j]!;
      sum += value * value;
    }
  return Math.sqrt(sum);
}
