import type { Program } from '../executors/executor.js';
import type { AdapterParameter } from '../model/adapter-layout.js';
import type { DecoderConfig } from '../model/config.js';
import type { Part as Examples } from './families.js';
import { indices, type PackedBatch } from './pack.js';
import { adapterFeeds, answerPlaces, packPart, teacherTensor, type Teacher } from './step.js';

/** The base model’s view of some places of packed sequences. */
export async function askTeacher(
  program: Program,
  { feeds }: Pick<PackedBatch, 'feeds'>,
  places: readonly number[],
): Promise<Teacher> {
  const { expected, entropy } = await program.run({ ...feeds, places: indices(places) });
  return { expected: expected!.slice(), entropy: entropy!.slice() };
}

export interface ValidationReport {
  /** Mean cross-entropy of the answers’ tokens, in nats. */
  loss: number;
  /** Mean KL divergence from the base model at the same places, in nats. */
  klToBase: number;
  /** Share of examples whose label token is the most probable of all label tokens; null without label tokens. */
  accuracy: number | null;
}

interface Part extends Examples {
  teacher: Teacher | null;
}

/** Looks at the same examples again and again; the base model is asked once. */
export class Validation {
  private readonly parts: Part[];

  constructor(
    examples: readonly Examples[],
    private readonly config: DecoderConfig,
    private readonly programs: { losses: Program; teacher: Program; logits: Program | null },
    private readonly labelTokens: readonly number[] | null,
  ) {
    this.parts = examples.map(({ members, shared }) => ({ members, shared, teacher: null }));
  }

  get isEmpty(): boolean {
    return this.parts.length === 0;
  }

  /** @param turn is told how many examples were looked at, of how many, and resolves when the next part may run */
  async run(
    parameters: readonly AdapterParameter[],
    adapter: Float32Array,
    turn: (done: number, examples: number) => Promise<void>,
  ): Promise<ValidationReport> {
    const exampleCount = this.parts.reduce((sum, { members }) => sum + members.length, 0);
    let looked = 0;
    let [crossEntropy, divergence, tokens, right, count] = [0, 0, 0, 0, 0];
    for (const part of this.parts) {
      await turn(looked, exampleCount);
      looked += part.members.length;
      const packed = packPart(part, this.config);
      const { feeds } = packed;
      const { places, labels } = answerPlaces(part.members, packed);
      const trained = adapterFeeds(parameters, adapter);
      part.teacher ??= await askTeacher(this.programs.teacher, packed, places);
      const { expected, entropy } = part.teacher;
      // Each place is asked twice: for the answer's token, and for the base model's distribution.
      const { losses } = await this.programs.losses.run({
        ...feeds,
        ...trained,
        places: indices([...places, ...places]),
        labels: indices(labels),
        teacher: teacherTensor({ expected, entropy }, this.config.hidden),
      });
      places.forEach((_, index) => {
        crossEntropy += losses![index]!;
        divergence += losses![places.length + index]! - entropy[index]!;
      });
      tokens += places.length;
      if (this.programs.logits !== null) {
        const { logits } = await this.programs.logits.run({ ...feeds, ...trained, places: indices(places) });
        right += labels.filter((label, index) => this.mostProbable(logits!, index) === label).length;
        count += labels.length;
      }
    }
    return {
      loss: crossEntropy / tokens,
      klToBase: divergence / tokens,
      accuracy: this.programs.logits === null ? null : right / count,
    };
  }

  private mostProbable(logits: Float32Array, place: number): number | undefined {
    const logit = (token: number): number => logits[place * this.config.vocabulary + token]!;
    return this.labelTokens?.reduce((best, token) => (logit(token) > logit(best) ? token : best));
  }
}
