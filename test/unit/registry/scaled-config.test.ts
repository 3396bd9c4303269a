import { scaledConfig } from '../../../src/sources/registry/index.js';

describe('PEFT’s configuration of an adapter at a scale', () => {
  const scaled = (config: object, scale: number): unknown => JSON.parse(scaledConfig(JSON.stringify(config), scale));

  it('has the scale in every alpha, also in those of single layers, and all else as it was', () => {
    const config = { peft_type: 'LORA', r: 4, lora_alpha: 8, alpha_pattern: { q_proj: 16 }, unknown: [1] };
    expect(scaled(config, 0.5)).toEqual({ ...config, lora_alpha: 4, alpha_pattern: { q_proj: 8 } });
    expect(scaled({ lora_alpha: 8, alpha_pattern: null }, 0.5)).toEqual({ lora_alpha: 4, alpha_pattern: null });
    expect(scaled({ lora_alpha: 8 }, 1)).toEqual({ lora_alpha: 8 });
  });
});
