import type { Feeds, Program, Tensor } from '../executors/executor.js';
import { adapterLayout, viewOf, type AdapterParameter, type LoraOptions } from '../model/adapter-layout.js';
import type { DecoderConfig } from '../model/config.js';
import { gradientName } from '../model/programs.js';
import type { Part } from './families.js';
import type { Example } from './job.js';
import { indices, packFamily, packSequences, type PackedBatch } from './pack.js';

/** The base model’s view of some places: see `teacherGraph`. */
export interface Teacher {
  /** [places, hidden] */
  expected: Float32Array;
  /** [places], in nats. */
  entropy: Float32Array;
}

/** The trained tensors as inputs: views of the flat array, so that an update needs no copying. */
export function adapterFeeds(parameters: readonly AdapterParameter[], adapter: Float32Array): Feeds {
  return Object.fromEntries(
    parameters.map((parameter) => [parameter.name, { data: viewOf(adapter, parameter), shape: parameter.shape }]),
  );
}

/** What an example feeds to the model: all but its last token, which is only predicted. */
const inputOf = ({ ids }: Example): Int32Array => ids.subarray(0, -1);

/** Examples side by side, or a family in one row. */
export function packPart({ members, shared }: Part, config: DecoderConfig): PackedBatch {
  const inputs = members.map(inputOf);
  return shared === 0 ? packSequences(inputs, config) : packFamily(inputs, shared, config);
}

/** The places of the answers’ tokens in a packed batch, and those tokens. */
export function answerPlaces(
  examples: readonly Example[],
  { placeOf }: Pick<PackedBatch, 'placeOf'>,
): { places: number[]; labels: number[] } {
  const places: number[] = [];
  const labels: number[] = [];
  examples.forEach(({ ids, answerFrom }, row) => {
    for (let position = answerFrom; position < ids.length; position++) {
      places.push(placeOf(row, position - 1));
      labels.push(ids[position]!);
    }
  });
  return { places, labels };
}

/** All places of a window of general text but the last, which has no next token to compare. */
export const replayPlaces = (window: Int32Array): number[] =>
  Array.from({ length: window.length - 1 }, (_, position) => position);

/** Losses and gradients of one adapter on the base model’s training program. */
export class StepProgram {
  readonly parameters: readonly AdapterParameter[];

  constructor(
    private readonly program: Program,
    private readonly config: DecoderConfig,
    lora: LoraOptions,
  ) {
    this.parameters = adapterLayout(config, lora).parameters;
  }

  /**
   * Adds weight * d(sum of cross-entropies of the answers) / d(adapter) to `gradient`.
   * @returns the sum of cross-entropies, in nats
   */
  async learn(part: Part, weight: number, adapter: Float32Array, gradient: Float32Array): Promise<number> {
    const packed = packPart(part, this.config);
    const { places, labels } = answerPlaces(part.members, packed);
    const losses = await this.run(packed.feeds, { places, labels, teacher: null, weight }, adapter, gradient);
    return losses.reduce((sum, loss) => sum + loss, 0);
  }

  /**
   * Adds weight * d(sum of KL divergences from the base model) / d(adapter) to `gradient`.
   * @returns the sum of divergences, in nats
   */
  async replay(
    window: Int32Array,
    teacher: Teacher,
    weight: number,
    adapter: Float32Array,
    gradient: Float32Array,
  ): Promise<number> {
    const { feeds } = packSequences([window], this.config);
    const request = { places: replayPlaces(window), labels: [], teacher, weight };
    const losses = await this.run(feeds, request, adapter, gradient);
    return losses.reduce((sum, loss, index) => sum + loss - teacher.entropy[index]!, 0);
  }

  private async run(
    feeds: Feeds,
    request: { places: number[]; labels: number[]; teacher: Teacher | null; weight: number },
    adapter: Float32Array,
    gradient: Float32Array,
  ): Promise<Float32Array> {
    const { places, labels, teacher, weight } = request;
    const outputs = await this.program.run({
      ...feeds,
      ...adapterFeeds(this.parameters, adapter),
      places: indices(places),
      labels: indices(labels),
      teacher: teacherTensor(teacher, this.config.hidden),
      weights: { data: new Float32Array(places.length).fill(weight), shape: [places.length, 1] },
    });
    for (const parameter of this.parameters) {
      const part = outputs[gradientName(parameter.name)]!;
      const sum = viewOf(gradient, parameter);
      for (let index = 0; index < sum.length; index++) sum[index]! += part[index]!;
    }
    return outputs.losses!;
  }
}

export const teacherTensor = (teacher: Teacher | null, hidden: number): Tensor => {
  const data = teacher?.expected ?? new Float32Array(0);
  return { data, shape: [data.length / hidden, hidden] };
};
