import { Table } from '@mantine/core';
import type { EvaluationOpenedQuery } from '../../generated/operations';
import { count } from '../../parts/format';
import { Note, Section } from '../../parts/page';
import { ScrollRegion } from '../../parts/table';

type Evaluation = Extract<NonNullable<EvaluationOpenedQuery['node']>, { __typename: 'Evaluation' }>;
type Figures = NonNullable<Evaluation['retention']>;

const interval = ({ value, low, high }: Figures['divergence'], digits = 3): string =>
  `${value.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;

/** What the adapter has made the model forget: general text, general prompts, other tasks. */
export function Retention({ retention }: { retention: Figures }) {
  const { texts, perplexity, divergence, topAgreement, misrouted, prompts, others } = retention;
  const rows = [
    ...[...texts, perplexity].map(({ text, base, adapted, ratio }) => ({
      what: `Perplexity of ${text ?? 'all general texts'}`,
      found: `${adapted.toFixed(2)} for ${base.toFixed(2)}, ${interval(ratio)} times`,
      meaning: '1 is nothing forgotten',
    })),
    { what: 'Same next token as the base model', found: interval(topAgreement), meaning: '1 is always' },
    { what: 'Divergence from the base model', found: `${interval(divergence)} nats a token`, meaning: '0 is none' },
    {
      what: `Answers to ${count(prompts)} prompts that are not its task`,
      found: `${interval(misrouted)} alike`,
      meaning: '1 is no damage when it is asked by mistake',
    },
    ...others.map(({ rows, rightToWrong, wrongToRight }) => ({
      what: `Another task, ${count(rows)} rows`,
      found: `${count(rightToWrong)} right that became wrong, ${count(wrongToRight)} the other way`,
      meaning: 'none is best',
    })),
  ];
  return (
    <Section title="What it has forgotten">
      <ScrollRegion minWidth={560} stacks={2}>
        <Table verticalSpacing={4} aria-label="Retention">
          <Table.Tbody>
            {rows.map(({ what, found, meaning }, i) => (
              <Table.Tr key={i}>
                <Table.Th scope="row" fw={400}>
                  {what}
                </Table.Th>
                <Table.Td>{found}</Table.Td>
                <Table.Td>
                  <Note size="xs">{meaning}</Note>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </ScrollRegion>
    </Section>
  );
}
