import fc from 'fast-check';
import {
  begins,
  checkedSettings,
  DEFAULT_SETTINGS,
  proposes,
  type Situation,
} from '../../../src/ship/improvement/policy.js';

const NOW = new Date('2026-11-27T12:00:00Z');
const situation = (values: Partial<Situation>): Situation => ({
  now: NOW,
  last: null,
  since: NOW,
  freshRows: 0,
  alerts: [],
  ...values,
});
const daysAgo = (days: number): Date => new Date(NOW.getTime() - days * 86_400_000);
const alert = { sentence: 'Questions are about other things.', trusted: true };

describe('when a policy begins an improvement', () => {
  it('begins after so many new rows, and not before', () => {
    expect(begins(DEFAULT_SETTINGS, situation({ freshRows: 199 }))).toBeNull();
    expect(begins(DEFAULT_SETTINGS, situation({ freshRows: 200 }))).toMatchObject({ trigger: 'NEW_ROWS' });
  });

  it('begins at an alert with the alert’s own sentence, where there is enough to learn', () => {
    expect(begins(DEFAULT_SETTINGS, situation({ freshRows: 19, alerts: [alert] }))).toBeNull();
    expect(begins(DEFAULT_SETTINGS, situation({ freshRows: 20, alerts: [alert] }))).toEqual({
      trigger: 'ALERT',
      reason: alert.sentence,
    });
    const deaf = { ...DEFAULT_SETTINGS, onAlert: false };
    expect(begins(deaf, situation({ freshRows: 20, alerts: [alert] }))).toBeNull();
  });

  it('only proposes at an alert that was not right before', () => {
    const doubted = situation({ freshRows: 20, alerts: [{ ...alert, trusted: false }] });
    expect(begins(DEFAULT_SETTINGS, doubted)).toBeNull();
    expect(proposes(DEFAULT_SETTINGS, doubted)).toBe(alert.sentence);
    expect(proposes(DEFAULT_SETTINGS, situation({ freshRows: 20, alerts: [alert] }))).toBeNull();
    expect(proposes(DEFAULT_SETTINGS, { ...doubted, freshRows: 19 })).toBeNull();
    expect(proposes({ ...DEFAULT_SETTINGS, onAlert: false }, doubted)).toBeNull();
  });

  it('begins by the calendar, counted from the last improvement, else from when the policy was set', () => {
    const weekly = { ...DEFAULT_SETTINGS, newRows: null, everyDays: 7 };
    expect(begins(weekly, situation({ freshRows: 20, since: daysAgo(6) }))).toBeNull();
    expect(begins(weekly, situation({ freshRows: 20, since: daysAgo(7) }))).toMatchObject({ trigger: 'CALENDAR' });
    expect(begins(weekly, situation({ freshRows: 20, since: daysAgo(30), last: daysAgo(2) }))).toBeNull();
  });

  it('begins nothing for a clock that jumps back', () => {
    const weekly = { ...DEFAULT_SETTINGS, newRows: null, everyDays: 7 };
    expect(begins(weekly, situation({ freshRows: 20, since: daysAgo(-3650) }))).toBeNull();
  });

  it('never begins with fewer rows than are worth a training, whatever else says so', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 500 }),
        fc.nat(600),
        fc.boolean(),
        fc.nat(400),
        (leastRows, freshRows, alarmed, days) => {
          const policy = { ...DEFAULT_SETTINGS, leastRows, newRows: 1, everyDays: 1 };
          const found = begins(policy, situation({ freshRows, since: daysAgo(days), alerts: alarmed ? [alert] : [] }));
          expect(found !== null && freshRows < leastRows).toBe(false);
        },
      ),
    );
  });
});

describe('what a policy may be set to', () => {
  it('keeps what is left out, switches off what is null, and names the field that is off', () => {
    const before = checkedSettings({ newRows: 50, everyDays: 3 });
    expect(checkedSettings({ leastRows: 5 }, before)).toMatchObject({ newRows: 50, everyDays: 3, leastRows: 5 });
    expect(checkedSettings({ newRows: null, rollout: null }, before)).toMatchObject({ newRows: null, rollout: null });
    expect(checkedSettings({ autoApprove: null, onAlert: null })).toMatchObject({ autoApprove: false, onAlert: true });
    expect(() => checkedSettings({ trainingHoursADay: 0 })).toThrow('input.trainingHoursADay');
    expect(() => checkedSettings({ newRows: 0 })).toThrow('input.newRows');
  });
});
