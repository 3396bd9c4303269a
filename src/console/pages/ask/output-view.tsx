import { Badge, Group, Stack, Text } from '@mantine/core';
import type { AnswerShownFragment } from '../../generated/operations';
import { ShareBar } from '../../parts/bars';
import { percent } from '../../parts/format';
import { Note } from '../../parts/page';

type Output = AnswerShownFragment['output'];

function Labels({ output }: { output: Extract<Output, { __typename: 'LabelOutput' }> }) {
  const { label, probability, alternatives } = output;
  if (probability === null) return null;
  return (
    <Stack gap="xs" mt="md" role="list" aria-label="Labels, most probable first">
      {[{ label, probability }, ...alternatives].slice(0, 5).map((candidate) => (
        <div key={candidate.label} role="listitem">
          <ShareBar label={candidate.label} value={candidate.probability} text={percent(candidate.probability, 1)} />
        </div>
      ))}
    </Stack>
  );
}

/** The text with its entities marked where they stand. */
function Entities({ text, output }: { text: string; output: Extract<Output, { __typename: 'EntitiesOutput' }> }) {
  const entities = [...output.entities].sort((a, b) => a.start - b.start);
  const parts = entities.map(({ start, end, type }, i) => ({
    key: `${start}:${end}:${type}`,
    before: text.slice(entities[i - 1]?.end ?? 0, start),
    marked: text.slice(start, end),
    type,
  }));
  return (
    <Text mt="md" className="document-text">
      {parts.map(({ key, before, marked, type }) => (
        <span key={key}>
          {before}
          <mark>{marked}</mark> <Badge size="xs">{type}</Badge>
        </span>
      ))}
      {text.slice(entities.at(-1)?.end ?? 0)}
    </Text>
  );
}

/** What an adapter’s answer is beside its text: labels with their probabilities, entities in their place. */
export function OutputView({ answer }: { answer: AnswerShownFragment }) {
  const { output, adapter, question } = answer;
  return (
    <>
      {output.__typename === 'LabelOutput' && <Labels output={output} />}
      {output.__typename === 'EntitiesOutput' && <Entities text={question} output={output} />}
      {adapter && (
        <Group gap="xs" mt="sm">
          <Badge color="violet">
            {adapter.name}@{adapter.versionNumber}
          </Badge>
          <Note size="xs" ff="monospace">
            {adapter.digest.slice(0, 12)}
            {adapter.version === null && ', deleted since'}
          </Note>
        </Group>
      )}
    </>
  );
}

/** The labelled rows that an answer was read from, nearest first. */
export function Neighbours({ neighbours }: Pick<AnswerShownFragment, 'neighbours'>) {
  return (
    <Stack gap="sm" role="list" aria-label="Labelled rows, nearest first">
      {neighbours.map(({ label, similarity, row }, i) => (
        // Two rows may read the same.
        <div key={i} role="listitem">
          <ShareBar
            label={
              <>
                <Badge size="xs" mr="xs">
                  {label}
                </Badge>
                {row?.content?.input ?? (
                  <Text component="span" size="sm" c="dimmed">
                    erased
                  </Text>
                )}
              </>
            }
            value={similarity}
            text={`similarity ${similarity.toFixed(2)}`}
          />
        </div>
      ))}
    </Stack>
  );
}
