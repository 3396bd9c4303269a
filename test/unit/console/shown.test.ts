import { decided } from '../../../src/console/pages/improvements/decided.js';
import { inUnit } from '../../../src/console/pages/monitoring/unit.js';

describe('what the console shows of records', () => {
  it('of an improvement that was proposed, is what a person decided, once one has', () => {
    expect(decided({ outcome: 'PROPOSED', proposal: { status: 'APPROVED' } })).toBe('APPROVED');
    expect(decided({ outcome: 'PROPOSED', proposal: { status: 'REJECTED' } })).toBe('REJECTED');
    expect(decided({ outcome: 'PROPOSED', proposal: { status: 'OPEN' } })).toBeNull();
    expect(decided({ outcome: 'REFUSED', proposal: null })).toBeNull();
    expect(decided({ outcome: null, proposal: null })).toBeNull();
  });

  it('of shares, is percent, and a gap stays one', () => {
    expect([inUnit(0.25, '%'), inUnit(0.25, 'ms'), inUnit(null, '%')]).toEqual([25, 0.25, null]);
  });
});
