import { z } from 'zod';
import { sha256 } from '../../../kernel/hashing.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import { scaledConfig, type ServedAdapter } from '../../../sources/registry/index.js';

/** An adapter version as engines take it. */
export interface EngineAdapter {
  /**
   * `name@0123456789ab`: the digest is that of what is loaded, scale included. vLLM's prefix cache knows an adapter by its name and path and
   * nothing else, so neither ever stands for other weights.
   */
  name: string;
  /** The folder with PEFT's files, by the path that gateways and engines share. */
  path: string;
  workspaceId: WorkspaceId;
  served: ServedAdapter;
}

/** What decides whether engines can serve an adapter, of PEFT's configuration. */
const peftConfig = z.object({
  r: z.number().int().positive(),
  target_modules: z.union([z.array(z.string()), z.string()]).nullish(),
  modules_to_save: z.array(z.string()).nullish(),
  rank_pattern: z.record(z.string(), z.number()).nullish(),
  alpha_pattern: z.record(z.string(), z.number()).nullish(),
  use_dora: z.boolean().nullish(),
  alora_invocation_tokens: z.array(z.number()).nullish(),
});
type PeftConfig = z.infer<typeof peftConfig>;

/**
 * The configuration for engines, its scale in it.
 * @param text `adapter_config.json`
 */
export const configForEngines = (text: string, scale: number): { config: string; refusal: string | null } => ({
  config: scaledConfig(text, scale),
  refusal: refusalOf(peftConfig.parse(JSON.parse(text))),
});

/** Why engines can't serve it; null when they can as far as its configuration tells. Which rank is too high they say themselves. */
function refusalOf(config: PeftConfig): string | null {
  const { target_modules: targets, modules_to_save: saved } = config;
  const modules = [targets ?? [], saved ?? []].flat();
  const whole = modules.find((module) => /(^|\.)(lm_head|embed_tokens)$/.test(module));
  if (whole !== undefined) return `engines serve no trained ${whole.split('.').at(-1)}`;
  if ((saved ?? []).length > 0) return `engines serve no whole layers (${saved!.join(', ')})`;
  if (Object.keys(config.rank_pattern ?? {}).length + Object.keys(config.alpha_pattern ?? {}).length > 0)
    return 'engines know one rank and one alpha for all layers';
  if (config.use_dora) return 'engines serve no DoRA';
  if (config.alora_invocation_tokens) return 'engines serve no activated LoRA';
  return null;
}

const DIGITS = 12;

export const engineName = (adapter: string, config: string, weightsSha256: string): string =>
  `${adapter}@${sha256(`${weightsSha256}\n${config}`).slice(0, DIGITS)}`;

/** Whether a name on an engine is one of ours; what others load there is theirs. */
export const isEngineName = (name: string): boolean => /^[^@/]+@[0-9a-f]{12}$/.test(name);
