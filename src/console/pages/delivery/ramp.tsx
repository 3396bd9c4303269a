import { Paper, Stack } from '@mantine/core';
import type { RolloutDecisionFieldsFragment, RolloutShownFragment } from '../../generated/operations';
import { Chart } from '../../parts/charts/chart';
import { words } from '../../parts/format';
import { Decision } from '../../parts/live-test';
import { Section } from '../../parts/page';

const percent = (share: number): string => `${Math.round(share * 1000) / 10} %`;

/** Oldest first: the share that the candidate had from each decision on. */
function rampOf(decisions: readonly RolloutDecisionFieldsFragment[]): { x: number[]; y: number[] } {
  const x: number[] = [];
  const y: number[] = [];
  for (const { decidedAt, share, action } of decisions) {
    const time = new Date(decidedAt).getTime() / 1_000;
    const now = action === 'ROLL_BACK' || action === 'ABORT' ? 0 : share;
    // A step, not a slope: the share changes at the moment of the decision.
    if (y.length > 0) {
      x.push(time);
      y.push(y.at(-1)!);
    }
    x.push(time);
    y.push(now * 100);
  }
  return { x, y };
}

/** How far a candidate came when, as a line, and every decision with its reasons. */
export function Ramp({ rollout }: { rollout: RolloutShownFragment }) {
  const decisions = rollout.decisions.edges.map(({ node }) => node);
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
          {decisions.toReversed().map((decision) => (
            <Decision
              key={decision.id}
              testId="rollout-decision"
              decision={decision}
              when={`at ${percent(decision.share)} · ${words(decision.check)}`}
            />
          ))}
        </Stack>
      </Section>
    </Stack>
  );
}
