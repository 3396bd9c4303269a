import { Badge } from '@mantine/core';
import { metricsFor } from '../../../answer/ask/answer-metrics';
import type { GuardFieldsFragment, RolloutShownFragment } from '../../generated/operations';
import { count, duration, plural } from '../../parts/format';
import { Note, Section } from '../../parts/page';
import { DataTable } from '../../parts/table';

const METRICS = metricsFor('rollout');

const share = (value: number | null): string => (value === null ? '–' : `${(100 * value).toFixed(1)} %`);

/** Points of a hundred, with their sign. */
const points = (value: number): string => `${value > 0 ? '+' : ''}${(100 * value).toFixed(1)}`;

/** How near the evidence against the candidate is to where it decides. */
const near = ({ evidenceWorse, decidesAt }: GuardFieldsFragment): string =>
  `${Math.max(0, Math.round((100 * evidenceWorse) / decidesAt))} %`;

/** With which probability a loss of ten points would have been found by now, and by the end. */
const foundWith = ({ couldSee }: GuardFieldsFragment): string => {
  const power = couldSee.find(({ loss }) => loss === 0.1);
  return power ? `${(100 * power.byNow).toFixed(0)} % by now, ${(100 * power.byTheEnd).toFixed(0)} % by the end` : '–';
};

const boundOf = ({ metric, bound }: GuardFieldsFragment): string | null =>
  bound === null ? null : metric === 'LATENCY' ? `under ${duration(bound)}` : `at least ${bound.toFixed(2)}`;

const ofAnswers = ({ value, answers }: GuardFieldsFragment['candidate']) => (
  <>
    {share(value)}
    <Note span size="xs">
      {' '}
      of {count(answers)}
    </Note>
  </>
);

const differenceOf = ({ difference }: GuardFieldsFragment) =>
  difference === null ? (
    '–'
  ) : (
    <>
      {points(difference.estimate)}
      <Note span size="xs">
        {' '}
        ({points(difference.low)} to {points(difference.high)})
      </Note>
    </>
  );

const nameOf = (guard: GuardFieldsFragment) => (
  <>
    {METRICS[guard.metric].title}
    {boundOf(guard) && (
      <Note span size="xs">
        {' '}
        ({boundOf(guard)})
      </Note>
    )}
  </>
);

/** What a rollout watches: each figure of the candidate beside that of its controls, and how near it is to deciding. */
export function WatchedFigures({ rollout: { guardrails } }: { rollout: RolloutShownFragment }) {
  if (guardrails.length === 0) return null;
  return (
    <Section
      title="Guardrails"
      says="One that is crossed rolls the candidate back at once. The difference is in points, with an interval that holds however often one looks. Evidence of 100 % is a rollback. The last column says what could have been seen: a figure that didn’t cross is no worse only as far as that."
    >
      <DataTable
        dense
        label="Guardrails"
        minWidth={760}
        stacks={2}
        rows={guardrails}
        columns={[
          { head: 'What', cell: nameOf },
          { head: 'Candidate', right: true, fw: 600, cell: ({ candidate }) => ofAnswers(candidate) },
          { head: 'Control', right: true, cell: ({ control }) => ofAnswers(control) },
          { head: 'Difference', right: true, cell: differenceOf },
          { head: 'May be worse by', right: true, cell: ({ margin }) => plural(Math.round(100 * margin), 'point') },
          {
            head: 'Evidence that it is',
            right: true,
            cell: (guard) => (guard.crossed ? <Badge color="red">crossed</Badge> : near(guard)),
          },
          { head: '10 points worse: found with', right: true, cell: foundWith },
        ]}
      />
    </Section>
  );
}
