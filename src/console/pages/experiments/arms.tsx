import { Badge, Table } from '@mantine/core';
import type { ExperimentShownFragment } from '../../generated/operations';
import { count } from '../../parts/format';
import { Note, Section, Strong } from '../../parts/page';
import { ScrollRegion } from '../../parts/table';
import { FINDINGS, shown, titleOf, unitOf } from './names';

type Arm = ExperimentShownFragment['arms'][number];
type Measure = ExperimentShownFragment['metrics'][number];

/** What an arm does otherwise, in a few words. */
function changesOf({ strategy, adapter, model, denseWeight, wording, generation }: Arm): string {
  const changes = [
    strategy,
    adapter,
    model,
    denseWeight === null ? null : `dense weight ${denseWeight}`,
    wording === null ? null : `wording ${wording}`,
    generation?.temperature === null || generation === null ? null : `temperature ${generation.temperature}`,
    generation?.maxTokens === null || generation === null ? null : `at most ${generation.maxTokens} tokens`,
  ].filter((change) => change !== null);
  return changes.length === 0 ? 'as production' : changes.join(', ');
}

function Cell(props: { experiment: ExperimentShownFragment; arm: Arm; measure: Measure }) {
  const { experiment, arm, measure } = props;
  const { metric } = measure;
  const figure = experiment.results
    .find((result) => result.arm === arm.name)
    ?.figures.find((candidate) => candidate.metric === metric);
  const compared = experiment.conclusion.comparisons.find(
    (comparison) => comparison.arm === arm.name && comparison.metric === metric,
  );
  const finding = compared && FINDINGS[compared.finding];
  return (
    <>
      <Strong>
        {shown(measure, figure?.adjustedMean ?? null)}{' '}
        <Note span size="xs">
          of {count(figure?.n ?? 0)}
        </Note>
      </Strong>
      {compared && (
        <Note size="xs">
          {shown(measure, compared.value, true)} {unitOf(measure)}
          {compared.low !== null &&
            ` (${shown(measure, compared.low, true)} to ${shown(measure, compared.high, true)})`}
        </Note>
      )}
      {finding && compared.finding !== 'OPEN' && (
        <Badge size="xs" color={finding.colour}>
          {finding.label}
        </Badge>
      )}
    </>
  );
}

/** The arms beside each other: what each does otherwise, and every metric with its difference from the control. */
export function Arms({ experiment }: { experiment: ExperimentShownFragment }) {
  const { arms, metrics, results } = experiment;
  return (
    <Section
      title="Arms"
      says={<>Below each figure stands its difference from {arms[0]?.name}, with what that may be in truth.</>}
    >
      <ScrollRegion minWidth={200 + 190 * arms.length}>
        <Table verticalSpacing={6} aria-label="Arms">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Metric</Table.Th>
              {arms.map((arm) => (
                <Table.Th key={arm.name}>
                  {arm.name}{' '}
                  {arm.isControl && (
                    <Badge size="xs" color="gray">
                      control
                    </Badge>
                  )}
                  {arm.stopped && (
                    <Badge size="xs" color="red">
                      stopped
                    </Badge>
                  )}
                  <Note size="xs" fw={400}>
                    {Math.round(1000 * arm.weight) / 10} %, {changesOf(arm)}
                  </Note>
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            <Table.Tr>
              <Table.Td>Answers (units)</Table.Td>
              {arms.map(({ name }) => {
                const result = results.find(({ arm }) => arm === name);
                return (
                  <Table.Td key={name}>
                    {count(result?.answers ?? 0)} ({count(result?.units ?? 0)})
                  </Table.Td>
                );
              })}
            </Table.Tr>
            {metrics.map((measure) => (
              <Table.Tr key={measure.metric}>
                <Table.Td>
                  {titleOf(measure)}{' '}
                  {measure.primary && (
                    <Badge size="xs" variant="light">
                      decides
                    </Badge>
                  )}
                  <Note size="xs">
                    {measure.better === 'HIGHER' ? 'more' : 'less'} is better
                    {measure.margin > 0 &&
                      `, ${shown(measure, measure.margin, true).replace('+', '')} ${unitOf(measure)} don’t matter`}
                  </Note>
                </Table.Td>
                {arms.map((arm) => (
                  <Table.Td key={arm.name}>
                    <Cell experiment={experiment} arm={arm} measure={measure} />
                  </Table.Td>
                ))}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </ScrollRegion>
    </Section>
  );
}
