import fc from 'fast-check';
import { familiesOf, partsOf } from '../../../gpu-worker/engines/training/trainer/families.js';
import type { Example } from '../../../gpu-worker/engines/training/trainer/job.js';
import { StepProgram } from '../../../gpu-worker/engines/training/trainer/step.js';
import { trainingGraph } from '../../../gpu-worker/engines/training/model/programs.js';
import { Bench, LONGEST, LORA, relativeError } from './support.js';

const example = (ids: number[], answerFrom: number, group?: number): Example => ({
  ids: Int32Array.from(ids),
  answerFrom,
  group,
});

describe('examples of one group', () => {
  let bench: Bench;
  beforeAll(() => {
    bench = new Bench({ architecture: 'llama', seed: 33 });
  });
  afterAll(() => bench.dispose());

  it('share what they begin with, and leave each the token that its answer is predicted from', () => {
    const [family, alone] = familiesOf([
      example([1, 2, 3, 4, 5], 4, 0),
      example([1, 2, 3, 9, 9, 9], 5, 0),
      example([1, 2, 3, 4], 3),
    ]);
    expect(family).toMatchObject({ shared: 3, length: 3 + 1 + 2, examples: 2, rows: [0, 1] });
    expect(alone).toMatchObject({ shared: 0, length: 3, examples: 1, rows: [2] });
    expect(familiesOf([example([1, 2, 3], 2, 7), example([1, 2, 3], 2, 7)])[0]).toMatchObject({ shared: 1 });
  });

  it('go together as far as a step and what is computed at once allow; one that is longer goes alone in any case', () => {
    const twelve = Array.from({ length: 12 }, (_, own) => example([1, 2, 3, 4, 5, 6, own, 9, 9], 7, 0));
    const families = (examples: number, tokens: number) => familiesOf(twelve, { examples, tokens });
    expect(families(5, 1_000).map((each) => each.examples)).toEqual([5, 5, 2]);
    expect(families(100, 12).map((each) => [each.examples, each.length])).toEqual(Array(4).fill([3, 6 + 3 * 2]));
    expect(families(100, 4).map((each) => each.examples)).toEqual(Array(12).fill(1));
    // Nothing longer than the longest example, which takes as much alone.
    const long = example(
      Array.from({ length: 15 }, () => 8),
      12,
    );
    expect(familiesOf([...twelve, long], { examples: 100, tokens: 4 }).map((each) => each.length)).toEqual([
      14, 14, 14, 14,
    ]);
    expect(families(3, 1_000).flatMap(({ rows }) => rows)).toEqual(twelve.map((_, row) => row));
  });

  it('are all computed once, whatever they are parted into', () => {
    const some = fc.array(
      fc.record({
        ids: fc.array(fc.nat(3), { minLength: 3, maxLength: 9 }).map((ids) => Int32Array.from(ids)),
        group: fc.option(fc.nat(2), { nil: undefined }),
      }),
      { minLength: 1 },
    );
    fc.assert(
      fc.property(some, fc.integer({ min: 1, max: 60 }), (all, budget) => {
        const examples = all.map((one) => ({ ...one, answerFrom: one.ids.length - 1 }));
        const parts = partsOf(familiesOf(examples), budget);
        expect(new Set(parts.flatMap(({ members }) => members))).toEqual(new Set(examples));
        expect(parts.flatMap(({ members }) => members)).toHaveLength(examples.length);
      }),
    );
  });

  it('give the losses and gradients that each gives alone', async () => {
    const [beginning, ...ends] = bench.sequences([20, 6, 9, 4], 5) as [Int32Array, ...Int32Array[]];
    const members = ends.map((end) => ({
      ids: Int32Array.from([...beginning, ...end]),
      answerFrom: beginning.length + 2,
      group: 1,
    }));
    const [family] = familiesOf(members);
    expect(family!.shared).toBeGreaterThanOrEqual(beginning.length);
    const program = await bench.onnx.compile(trainingGraph(bench.config, LORA, LONGEST));
    const step = new StepProgram(program, bench.config, LORA);
    const adapter = bench.adapter(8);
    const learn = async (shared: number): Promise<{ loss: number; gradient: Float32Array }> => {
      const gradient = new Float32Array(adapter.length);
      return { loss: await step.learn({ members, shared }, 0.5, adapter, gradient), gradient };
    };
    const [together, apart] = [await learn(family!.shared), await learn(0)];
    expect(together.loss).toBeCloseTo(apart.loss, 4);
    expect(relativeError(together.gradient, apart.gradient)).toBeLessThan(1e-4);
  });
});
