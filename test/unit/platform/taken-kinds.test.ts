import { takenKinds } from '../../../src/platform/runs/index.js';

const KINDS = ['TRAINING', 'INGESTION', 'EVALUATION'];
const taken = (...named: string[]) => KINDS.filter(takenKinds(named, KINDS));

describe('the kinds of runs that a process takes', () => {
  it('are all, those that it names, or all but those that it leaves', () => {
    expect(taken()).toEqual(KINDS);
    expect(taken('TRAINING')).toEqual(['TRAINING']);
    expect(taken('-TRAINING', '-EVALUATION')).toEqual(['INGESTION']);
  });

  it('have to exist, and to be named in one way', () => {
    expect(() => taken('TRAINNING')).toThrow(/"TRAINNING" is no kind of runs/);
    expect(() => taken('-training')).toThrow(/"training" is no kind/);
    expect(() => taken('TRAINING', '-INGESTION')).toThrow(/one or the other/);
  });
});
