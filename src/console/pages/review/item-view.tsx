import { Badge, Group, Paper, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import type { ItemReviewedFragment } from '../../generated/operations';
import { dateTime, words } from '../../parts/format';
import { Note } from '../../parts/page';
import { wordDiff } from './word-diff';

type Answer = NonNullable<ItemReviewedFragment['answer']>;

/** What the correction changes, beside what stays. */
export function Diff({ before, after }: { before: string; after: string }) {
  return (
    <Text className="document-text" aria-label="What the correction changes" role="group">
      {wordDiff(before, after).map(({ kind, text }, i) =>
        kind === 'SAME' ? (
          <span key={i}>{text}</span>
        ) : kind === 'REMOVED' ? (
          <del key={i}>{text}</del>
        ) : (
          <ins key={i}>{text}</ins>
        ),
      )}
    </Text>
  );
}

function Marked({ question, answer: { output } }: { question: string; answer: Answer }) {
  if (output.__typename !== 'EntitiesOutput') return null;
  return (
    <Group gap="xs" aria-label="Entities" role="list">
      {output.entities.length === 0 && <Note>No entities were found in {question.length} characters.</Note>}
      {output.entities.map(({ type, text, start }) => (
        <span key={`${start} ${type}`} role="listitem">
          <mark>{text}</mark> <Badge size="xs">{type}</Badge>
        </span>
      ))}
    </Group>
  );
}

function AnswerSide({ question, answer, disputed }: { question: string; answer: Answer; disputed: boolean }) {
  // Who reviews is not told what others said, unless that is what they are to decide.
  const visibleFeedback = disputed
    ? answer.feedback.filter(({ score, comment }) => score !== null || comment !== null)
    : [];
  return (
    <Paper>
      <Group gap="xs" mb="xs">
        <Badge color="gray">{words(answer.task)}</Badge>
        {answer.adapter && (
          <Badge color="violet">
            {answer.adapter.name}@{answer.adapter.versionNumber}
          </Badge>
        )}
        {answer.confidence !== null && <Badge color="teal">{(100 * answer.confidence).toFixed(0)} % sure</Badge>}
        {answer.abstained && <Badge color="yellow">no answer</Badge>}
        <Note size="xs">{dateTime(answer.createdAt)}</Note>
      </Group>
      <Text className="document-text" data-testid="review-answer">
        {answer.text}
      </Text>
      <Marked question={question} answer={answer} />
      {answer.evidence.map(({ quote, documentName }) => (
        <Note key={`${documentName} ${quote}`} mt="xs">
          “{quote}” {documentName}
        </Note>
      ))}
      {visibleFeedback.map(({ id, score, comment, source }) => (
        <Note key={id} mt="xs">
          {source.name}:{' '}
          {[score === null ? null : `${score > 0 ? '+' : ''}${score}`, comment].filter(Boolean).join(', ')}
        </Note>
      ))}
    </Paper>
  );
}

/** What lessons say of labels; a person confirms it before any row changes. */
function Moves({ moves, dataset }: Pick<ItemReviewedFragment, 'moves' | 'dataset'>) {
  if (moves.length === 0) return null;
  return (
    <Paper>
      <Text fw={600}>Do these labels mean something else now?</Text>
      <Note mb="xs">If they do, all older rows of {dataset?.name} go along, those for testing too.</Note>
      {moves.map(({ from, to, lessons, contrary }) => (
        <Text key={from} size="sm">
          {from} → {to ?? 'nothing in particular'}: {contrary} of {lessons} lessons on answers that had it say so
        </Text>
      ))}
    </Paper>
  );
}

/** The question and what was answered; of a pair both answers, without what made them. */
export function ItemView({ item }: { item: ItemReviewedFragment }) {
  const { question, answer, pair, reason, wanted, done, agreement } = item;
  return (
    <Stack gap="sm">
      <Moves moves={item.moves} dataset={item.dataset} />
      <Paper>
        <Group gap="xs" mb="xs">
          <Badge>{words(reason)}</Badge>
          {wanted > 1 && (
            <Note size="xs">
              {done} of {wanted} reviewers{agreement === null ? '' : `, who agree ${(100 * agreement).toFixed(0)} %`}
            </Note>
          )}
        </Group>
        <Title order={2} size="h4" className="document-text" data-testid="review-question">
          {question}
        </Title>
      </Paper>
      {answer && <AnswerSide question={question} answer={answer} disputed={reason === 'DISAGREES'} />}
      {pair.length > 0 && (
        <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm">
          {pair.map(({ text, abstained }, i) => (
            <Paper key={i}>
              <Note size="xs" mb={4}>
                {i === 0 ? 'First' : 'Second'}
                {abstained ? ', no answer' : ''}
              </Note>
              <Text className="document-text">{text}</Text>
            </Paper>
          ))}
        </SimpleGrid>
      )}
    </Stack>
  );
}
