import { z } from 'zod';

const alphas = z.looseObject({
  lora_alpha: z.number(),
  /** Alphas of single layers, which go before the one above. */
  alpha_pattern: z.record(z.string(), z.number()).nullish(),
});

/**
 * PEFT's configuration of an adapter that acts at a scale. PEFT and engines know no scale: it is a factor of every alpha there. All
 * else stays as it is.
 * @param text `adapter_config.json`
 */
export function scaledConfig(text: string, scale: number): string {
  const config = alphas.parse(JSON.parse(text));
  const { lora_alpha: alpha, alpha_pattern: pattern } = config;
  const layers = Object.entries(pattern ?? {}).map(([layer, layerAlpha]) => [layer, layerAlpha * scale]);
  const scaled = {
    ...config,
    lora_alpha: alpha * scale,
    ...(pattern && { alpha_pattern: Object.fromEntries(layers) as unknown }),
  };
  return `${JSON.stringify(scaled, null, 2)}\n`;
}
