import { Alert, Badge, Group, Paper, SimpleGrid, Stack, Text, Title, UnstyledButton } from '@mantine/core';
import { IconArrowsDiff, IconInfoCircle } from '@tabler/icons-react';
import type { AnswerShownFragment } from '../../generated/operations';
import { ShareBar, Waterfall } from '../../parts/bars';
import type { Place } from '../../parts/document/document-place';
import { count, duration, words } from '../../parts/format';
import { Note, Prose, Section } from '../../parts/page';
import { AnswerActions } from './answer-actions';
import { inTurn } from './in-turn';
import { destinationOf, does, stageName, STRATEGY_NAMES } from './names';
import { Neighbours, OutputView } from './output-view';
import { wordingOf } from './wording';

type Quotation = AnswerShownFragment['evidence'][number] | AnswerShownFragment['conflicts'][number]['quotes'][number];

interface QuoteProps {
  quotation: Quotation;
  /** The sentences that the answer rests on. */
  cited: ReadonlySet<string>;
  onOpen: (place: Place) => void;
}

function Quote({ quotation, cited, onOpen }: QuoteProps) {
  const { quote, start, end, page, headings, documentName, document } = quotation;
  const place = [documentName, ...(page === null ? [] : [`page ${page}`]), ...headings].join(' › ');
  const open = document && (() => onOpen({ documentId: document.id, documentName, start, end }));
  return (
    <UnstyledButton className="quote" disabled={!open} onClick={open ?? undefined} title={`Show it in ${documentName}`}>
      <Text size="sm">“{quote}”</Text>
      <Group gap="xs" mt={4}>
        <Note size="xs">{place}</Note>
        {cited.has(quote) && (
          <Badge size="xs" color="teal">
            cited
          </Badge>
        )}
        {!open && (
          <Badge size="xs" color="gray">
            document deleted
          </Badge>
        )}
      </Group>
    </UnstyledButton>
  );
}

/** What is known of a destination: when it was asked, how likely the question is its own, and how long it takes. */
function prospectOf({
  available,
  probability,
  pValue,
  order,
  refused,
  expectedMs,
}: AnswerShownFragment['route']['candidates'][number]): string {
  if (!available) return 'not available';
  const facts = [
    ...(order === null
      ? []
      : [`asked ${order === 1 ? 'first' : `as number ${order}`}${refused === null ? '' : ', refused'}`]),
    ...(probability === null ? [] : [`${Math.round(probability * 100)} %`]),
    ...(pValue === null ? [] : [`p ${pValue.toFixed(2)}`]),
    ...(expectedMs === null ? [] : [`about ${duration(expectedMs)}`]),
  ];
  return facts.join(' · ');
}

/** The row or the passage of a destination that is most like the question, as far as whoever looks may see it. */
function nearestOf({ nearest, passage }: AnswerShownFragment['route']['candidates'][number]): string | null {
  const text = nearest?.row?.content?.input ?? passage?.chunk?.text;
  if (text === undefined) return null;
  return nearest?.label ? `“${text}”, labelled ${nearest.label}` : `“${text}”`;
}

function RouteCard({ route }: Pick<AnswerShownFragment, 'route'>) {
  const strongest = Math.max(1e-9, ...route.reasons.map(({ contribution }) => Math.abs(contribution)));
  return (
    <Paper>
      <Group justify="space-between" mb="sm">
        <Title order={2} size="h3">
          Route
        </Title>
        <Badge color="teal">{STRATEGY_NAMES[route.strategy]}</Badge>
      </Group>
      <Stack gap="sm">
        {inTurn(route).map((candidate) => (
          <div key={`${candidate.strategy} ${candidate.adapter}`}>
            <ShareBar
              label={
                <Text component="span" size="sm" fw={candidate.strategy === route.strategy ? 600 : undefined}>
                  {destinationOf(route.strategy, candidate)}
                </Text>
              }
              value={candidate.available ? candidate.probability : null}
              text={prospectOf(candidate)}
            />
            {nearestOf(candidate) && (
              <Note size="xs" lineClamp={2}>
                Nearest: {nearestOf(candidate)}
              </Note>
            )}
          </div>
        ))}
        <Note size="xs" mt="xs">
          {route.chosenBy === 'CALLER' ? 'You chose the strategy.' : 'Graft chose the strategy. Why:'}
        </Note>
        {route.reasons.map(({ feature, contribution, sentence }) => (
          <ShareBar
            key={`${feature} ${sentence}`}
            label={<Prose>{sentence}</Prose>}
            value={contribution === 0 ? null : contribution / strongest}
            text={
              contribution > 0
                ? `for, ${contribution.toFixed(2)}`
                : contribution < 0
                  ? `against, ${(-contribution).toFixed(2)}`
                  : ''
            }
          />
        ))}
      </Stack>
    </Paper>
  );
}

function Quotes({ quotations, ...rest }: { quotations: readonly Quotation[] } & Pick<QuoteProps, 'cited' | 'onOpen'>) {
  return (
    <Stack gap="sm">
      {quotations.map((quotation) => (
        <Quote key={`${quotation.documentName}:${quotation.start}`} quotation={quotation} {...rest} />
      ))}
    </Stack>
  );
}

function Evidence({ answer, ...rest }: { answer: AnswerShownFragment } & Pick<QuoteProps, 'cited' | 'onOpen'>) {
  return (
    <Section title="Evidence">
      {answer.neighbours.length > 0 ? (
        <Neighbours neighbours={answer.neighbours} />
      ) : answer.evidence.length === 0 ? (
        <Note>
          {does(answer.route.strategy, 'reads')
            ? 'No sentence of the documents fits the question.'
            : 'This strategy reads no documents: nothing was checked against them.'}
        </Note>
      ) : (
        <Quotes quotations={answer.evidence} {...rest} />
      )}
    </Section>
  );
}

/** Everything about an answer: its words, what they rest on, how it was decided and where the time went. */
export function AnswerView({ answer, onOpen }: { answer: AnswerShownFragment; onOpen: (place: Place) => void }) {
  const quotes = { cited: new Set(answer.citations.map(({ quote }) => quote)), onOpen };
  const total = answer.stages.reduce((sum, { ms }) => sum + ms, 0);
  return (
    <Stack gap="md">
      <Paper>
        <Text size="lg" className="answer-text" data-testid="answer-text">
          {answer.text}
        </Text>
        <Group gap="xs" mt="sm">
          <Badge color={answer.abstained ? 'yellow' : 'teal'}>
            {answer.abstained ? 'no answer' : STRATEGY_NAMES[answer.route.strategy]}
          </Badge>
          <Note size="xs">
            {wordingOf(answer)} · {answer.model.model.name} {answer.model.quantization} ·{' '}
            {count(answer.usage.promptTokens)} tokens read, {count(answer.usage.generatedTokens)} written ·{' '}
            {duration(total)}
          </Note>
        </Group>
        {answer.askedAs !== null && (
          <Note size="xs" mt="xs">
            Understood as: {answer.askedAs}
          </Note>
        )}
        <OutputView answer={answer} />
        <AnswerActions answer={answer} />
        {answer.abstention && (
          <Alert mt="md" color="yellow" icon={<IconInfoCircle />} title={words(answer.abstention.reason)}>
            Add documents that hold the answer, or ask in their words. The closest sentences are below.
          </Alert>
        )}
        {answer.conflicts.map(({ kind, quotes: quotations }) => (
          <Alert
            key={quotations.map(({ start, value }) => `${value} ${start}`).join()}
            mt="md"
            color="orange"
            icon={<IconArrowsDiff />}
            title={`The documents disagree: ${quotations.map(({ value }) => value).join(' or ')}`}
            data-testid={`conflict-${kind.toLowerCase()}`}
          >
            <Quotes quotations={quotations} {...quotes} />
          </Alert>
        ))}
      </Paper>
      <Evidence answer={answer} {...quotes} />
      <SimpleGrid type="container" cols={{ base: 1, '700px': 2 }}>
        <RouteCard route={answer.route} />
        <Paper>
          <Group justify="space-between" mb="sm">
            <Title order={2} size="h3">
              Time
            </Title>
            <Note>{duration(total)}</Note>
          </Group>
          <Waterfall stages={answer.stages.map(({ name, ms }) => ({ name: stageName(name), ms }))} />
        </Paper>
      </SimpleGrid>
    </Stack>
  );
}
