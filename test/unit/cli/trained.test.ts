import { plannedBatches } from '../../../gpu-worker/engines/training/trainer/batches.js';
import { findingsOf, type TrainedVersion } from '../../../src/cli/data.js';

const trained = (
  rows: number,
  steps: number | null,
  checks: TrainedVersion['gate']['checks'] = [],
): TrainedVersion => ({
  id: 'version-1',
  version: 1,
  adapter: { name: 'letters', task: 'CLASSIFICATION' },
  metrics: { steps },
  trainedOn: { counts: { train: rows } },
  gate: { passed: checks.every(({ passed }) => passed), checks },
});

describe('what `graft train` says of a version', () => {
  it('is that so few steps teach little, and with which recipe to train again', () => {
    const [few, recipe] = findingsOf(trained(72, 5));
    expect(few).toBe('It learned in 5 steps, which is few. Train again with:');
    expect(recipe).toContain('--recipe \'{"epochs":5,"batchExamples":4,');
    expect(recipe).toContain('"retention":{"weight":6,"tokens":32}');
  });

  it('names a recipe that takes steps enough, however few the rows: what learned with it isn’t sent back to it', () => {
    for (let rows = 1; rows <= 1_000; rows++) {
      const [, recipe] = findingsOf(trained(rows, 1));
      const { epochs, batchExamples } = JSON.parse(/'(.*)'/.exec(recipe!)![1]!) as Record<string, number>;
      const units = Array.from({ length: rows }, () => ({ length: 10, examples: 1 }));
      const { length: steps } = plannedBatches(units, { examples: batchExamples!, tokens: 1e6 }, 1, epochs!);
      expect(findingsOf(trained(rows, steps))).toEqual(['The gate finds nothing against it.']);
    }
  });

  it('is nothing of steps where there were enough, or where nothing tells them', () => {
    const passed = ['The gate finds nothing against it.'];
    expect(findingsOf(trained(1_000, 63))).toEqual(passed);
    expect(findingsOf(trained(72, null))).toEqual(passed);
    const chats = trained(72, 5);
    expect(findingsOf({ ...chats, adapter: { name: 'chats', task: 'INSTRUCTION' } })).toEqual(passed);
  });

  it('names each thing that the gate would refuse it for', () => {
    const checks = [
      { name: 'attested', passed: true, message: 'It acts.' },
      { name: 'perplexity', passed: false, message: 'General text became 23 % more perplexing.' },
    ];
    expect(findingsOf(trained(1_000, 63, checks))).toEqual([
      'The gate would not let it into production:',
      '  General text became 23 % more perplexing.',
    ]);
  });
});
