import { GraftError } from '../../../../src/kernel/errors.js';
import type { LoraPlace } from '../../../formats/peft/peft-adapter.js';
import type { DecoderConfig } from './config.js';

/**
 * An adapter of ours names its base model by digest; PEFT's name is free text, which tells nothing.
 * @throws ADAPTER_WRONG_BASE
 */
export function requireBase(
  { baseModel, pairs }: { baseModel: string; pairs: readonly Pick<LoraPlace, 'layer'>[] },
  digest: string,
  { layers }: DecoderConfig,
): void {
  const wrong = (reason: string): GraftError =>
    new GraftError('ADAPTER_WRONG_BASE', `The adapter was trained for another model: ${reason}.`, {
      hint: 'Name the model that it was trained on.',
    });
  if (/^[0-9a-f]{64}$/.test(baseModel) && baseModel !== digest)
    throw wrong(`its configuration names ${baseModel.slice(0, 12)}…, the model is ${digest.slice(0, 12)}…`);
  const misplacedPair = pairs.find(({ layer }) => layer >= layers);
  if (misplacedPair) throw wrong(`it changes layer ${misplacedPair.layer}, the model has ${layers}`);
}
