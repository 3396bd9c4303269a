import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GgufWeights } from '../../../gpu-worker/engines/training/model/gguf-weights.js';
import { isGraftError } from '../../../src/kernel/errors.js';
import { writeTinyModel, type TinyModelOptions } from '../../support/tiny-model.js';

describe('a model that llama.cpp computes otherwise than the graph', () => {
  const folder = mkdtempSync(join(tmpdir(), 'graft-unsupported-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  const outcome = (options: TinyModelOptions): string => {
    try {
      return new GgufWeights(writeTinyModel(join(folder, 'tiny.gguf'), options).path, 1).config.architecture;
    } catch (error) {
      if (isGraftError(error)) return `${error.code} ${error.message}`;
      throw error;
    }
  };
  const rope = (key: string, value: number): TinyModelOptions => ({
    metadata: { [`llama.rope.${key}`]: { f32: value } },
  });

  it.each<[string, TinyModelOptions, string]>([
    ['with biases', { tensors: { 'blk.1.attn_q.bias': [64] } }, 'blk.1.attn_q.bias'],
    ['with biases behind the gate', { tensors: { 'blk.0.ffn_gate.bias': [128] } }, 'blk.0.ffn_gate.bias'],
    [
      'with norms of another architecture',
      { architecture: 'qwen2', tensors: { 'blk.0.attn_q_norm.weight': [16] } },
      'q_norm',
    ],
    ['with positions scaled by a factor that names no type', rope('scaling.factor', 4), 'scaled rotary'],
    ['with positions scaled in the older way', rope('scale_linear', 2), 'scaled rotary'],
  ])('is refused %s', (_, options, said) => {
    expect(outcome(options)).toMatch(/^MODEL_UNSUPPORTED /);
    expect(outcome(options)).toContain(said);
  });

  it('is one of what is trained where nothing differs', () => {
    for (const options of [{}, rope('scaling.factor', 1), rope('scaling.factor', 0), rope('scale_linear', 1)])
      expect(outcome(options)).toBe('llama');
    expect(
      outcome({ metadata: { 'llama.rope.scaling.type': { string: 'none' }, 'llama.rope.scaling.factor': { f32: 4 } } }),
    ).toBe('llama');
    for (const architecture of ['qwen2', 'qwen3']) expect(outcome({ architecture })).toBe(architecture);
  });
});
