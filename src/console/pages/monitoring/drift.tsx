import { useQuery } from 'urql';
import { DriftDocument, type DriftQuery } from '../../generated/operations';
import { count, percent } from '../../parts/format';
import { ErrorState, Note, Section } from '../../parts/page';
import { DataTable } from '../../parts/table';

type Stream = DriftQuery['drift'][number];

const PHASES = {
  LEARNING: 'learns what there is',
  GATHERING: 'gathers what to hold against',
  WATCHING: 'watches',
  OFF: 'too few training rows',
} as const;

/** Evidence in words: alarms come at `alarmAt`. */
const evidenceOf = ({ evidence, alarmAt }: Stream): string =>
  evidence === null ? '' : evidence < 0.1 ? 'none' : `${evidence.toPrecision(2)} of ${Number(alarmAt.toPrecision(2))}`;

/** The label that changed most, or unlike questions, where there is something of either. */
function mostChanged({ shares, kind }: Stream): string {
  const [topShare] = shares;
  if (!topShare || topShare.now === null) return '';
  const name = kind === 'LABELS' ? `“${topShare.name}”` : 'unlike those that are known';
  return `${name}: ${percent(topShare.reference)} → ${percent(topShare.now)}`;
}

const stateOf = ({ phase, observations, needed }: Stream): string =>
  phase === 'OFF'
    ? PHASES.OFF
    : `${PHASES[phase]}, ${count(observations)}${needed === null ? '' : ` of ${count(needed)}`}`;

/** What is watched for change, and what is seen of one. */
export function Drift() {
  const [{ data, error }, refetch] = useQuery({ query: DriftDocument });
  const streams = data?.drift ?? [];
  return (
    <Section title="Drift">
      {error && <ErrorState error={error} onRetry={refetch} />}
      {!data ? null : streams.length === 0 ? (
        <Note>
          Once there are answers, their questions are held against those before, and those that an adapter answers
          against the rows that it was trained on.
        </Note>
      ) : (
        <DataTable
          label="What is watched for change"
          testId="drift"
          minWidth={640}
          stacks={2}
          rows={streams}
          keyOf={({ id }) => id}
          columns={[
            {
              head: 'Watched',
              label: null,
              cell: ({ kind, adapter }) =>
                `${kind === 'LABELS' ? 'labels' : 'questions'} of ${adapter ?? 'all answers'}`,
            },
            { head: 'Against', cell: ({ against }) => (against === 'TRAINING' ? 'training rows' : 'what came before') },
            { head: 'State', cell: stateOf },
            { head: 'Most changed', cell: mostChanged },
            { head: 'Evidence', right: true, cell: evidenceOf },
          ]}
        />
      )}
    </Section>
  );
}
