import { Group, Paper, Stack, Text } from '@mantine/core';
import type { RolloutDecisionFieldsFragment, RolloutShownFragment } from '../../generated/operations';
import { Chart } from '../../parts/charts/chart';
import { dateTime, words } from '../../parts/format';
import { Note, Section, Strong } from '../../parts/page';

const percent = (share: number): string => `${Math.round(share * 1000) / 10} %`;

/** Oldest first: the share that the candidate had from each decision on. */
function rampOf(decisions: readonly RolloutDecisionFieldsFragment[]): { x: number[]; y: number[] } {
  const x: number[] = [];
  const y: number[] = [];
  for (const { decidedAt, share, action } of decisions) {
    const at = new Date(decidedAt).getTime() / 1_000;
    const now = action === 'ROLL_BACK' || action === 'ABORT' ? 0 : share;
    // A step, not a slope: the share changes at the moment of the decision.
    if (y.length > 0) {
      x.push(at);
      y.push(y.at(-1)!);
    }
    x.push(at);
    y.push(now * 100);
  }
  return { x, y };
}

function Decision({ decision }: { decision: RolloutDecisionFieldsFragment }) {
  const { action, check, reasons, decidedBy, reason, decidedAt, share } = decision;
  return (
    <Stack gap={2} data-testid="rollout-decision">
      <Group gap="xs">
        <Strong>{words(action)}</Strong>
        <Note size="xs">
          at {percent(share)} · {words(check)} · {dateTime(decidedAt)} · {decidedBy ?? 'by itself'}
        </Note>
      </Group>
      {reasons.map((sentence) => (
        <Text key={sentence} size="sm">
          {sentence}
        </Text>
      ))}
      {reason && <Note>“{reason}”</Note>}
    </Stack>
  );
}

/** How far a candidate came when, as a line, and every decision with its reasons. */
export function Ramp({ rollout }: { rollout: RolloutShownFragment }) {
  const newestFirst = rollout.decisions.edges.map(({ node }) => node);
  const decisions = [...newestFirst].reverse();
  const { x, y } = rampOf(decisions);
  return (
    <Stack>
      {x.length > 1 && (
        <Paper>
          <Chart
            title="Share of questions that the candidate answers"
            x={{ label: 'Time', values: x, time: true }}
            series={[{ label: 'Candidate', values: y }]}
            unit="%"
            fromZero
          />
        </Paper>
      )}
      <Section title="Decisions">
        <Stack gap="sm">
          {newestFirst.map((decision) => (
            <Decision key={decision.id} decision={decision} />
          ))}
        </Stack>
      </Section>
    </Stack>
  );
}
