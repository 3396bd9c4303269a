import { newReports } from '../../../src/ship/tuning/reports.js';

describe('what a tuning tells of a run that it waits for', () => {
  it('is each hundredth, and each thing that it is at, however little further that is', () => {
    const isNew = newReports();
    const told = [
      { progress: 0, message: '' },
      { progress: 0.001, message: 'Step 1 of 1000.' },
      { progress: 0.002, message: 'Step 2 of 1000.' },
      { progress: 0.012, message: 'Step 12 of 1000.' },
      { progress: 0.5, message: '99 of 99 rows are answered.' },
      { progress: 0.5, message: 'Learning which messages are its own.' },
      { progress: 0.5, message: 'Measuring what the adapter has forgotten.' },
      { progress: 0.504, message: 'Measuring what the adapter has forgotten.' },
    ].filter(isNew);
    expect(told.map(({ message }) => message)).toEqual([
      'Step 1 of 1000.',
      'Step 12 of 1000.',
      '99 of 99 rows are answered.',
      'Learning which messages are its own.',
      'Measuring what the adapter has forgotten.',
    ]);
  });
});
