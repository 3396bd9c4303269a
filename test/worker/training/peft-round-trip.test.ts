import { jest } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPeftAdapter } from '../../../gpu-worker/formats/peft/peft-adapter.js';
import { toGgufLora } from '../../../gpu-worker/engines/training/model/adapter-files.js';
import { GgufWeights } from '../../../gpu-worker/engines/training/model/gguf-weights.js';
import { Python } from '../../support/python.js';
import { itWhen } from '../../support/skip.js';
import { writeTinyModel } from '../../support/tiny-model.js';
import { writePeft } from '../../support/tiny-peft.js';

// Making the environment downloads PyTorch once.
jest.setTimeout(900_000);

const PACKAGES = ['torch==2.13.0', 'transformers==5.24.0', 'peft==0.21.2', 'safetensors==0.8.0'];
const python = await Python.with(PACKAGES);
const [ready, reason] = typeof python === 'string' ? [null, python] : [python, ''];

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
      ...{ folder: ours, out: theirs },
      config: {
        ...{ hidden_size: config.hidden, num_hidden_layers: config.layers, vocab_size: config.vocabulary },
        ...{ num_attention_heads: config.heads, num_key_value_heads: config.keyValueHeads },
        ...{ head_dim: config.headSize, intermediate_size: config.feedForward },
      },
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
