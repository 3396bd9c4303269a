import { Badge, Button, Paper, Stack, Text, Textarea } from '@mantine/core';
import { useInputState } from '@mantine/hooks';
import { useState } from 'react';
import { useQuery } from 'urql';
import { PreviewRoutesDocument, type PreviewRoutesQuery } from '../../generated/operations';
import { Form } from '../../parts/form';
import { percent, plural } from '../../parts/format';
import { Note, PageHeader, Section } from '../../parts/page';
import { DataTable } from '../../parts/table';
import { Confusion } from '../adapters/confusion';
import { STRATEGY_NAMES } from '../ask/names';
import { questionsOf, type ListedQuestion } from './lines';

type Preview = PreviewRoutesQuery['previewRoutes'];
type Routed = ListedQuestion & Preview['routes'][number];

/** What the destinations below hold for. */
const standing = (router: Preview['router']): string =>
  router === null
    ? 'There is no router yet: documents are read where there are any.'
    : router.missing || router.mode === 'OBSERVE'
      ? `Router ${router.version} only observes: plain questions don’t go there yet. ${router.missing ?? ''}`
      : `Plain questions go there now, by router ${router.version}.`;

const isElsewhere = ({ expected, destination }: Routed): boolean => expected !== null && expected !== destination;

const askedInOrder = ({ candidates }: Routed): string =>
  candidates
    .filter(({ order }) => order !== null)
    .sort((a, b) => a.order! - b.order!)
    .map(({ adapter, strategy }) => adapter ?? STRATEGY_NAMES[strategy])
    .join(' → ') || 'nobody';

function Routes({ routes }: { routes: readonly Routed[] }) {
  return (
    <DataTable
      framed
      label="Where each question would go"
      minWidth={720}
      stacks={2}
      // What goes elsewhere than it should is looked at first.
      rows={routes.toSorted((a, b) => Number(isElsewhere(b)) - Number(isElsewhere(a)))}
      columns={[
        { head: 'Question', label: null, maw: 360, cell: ({ text }) => <Text size="sm">{text}</Text> },
        {
          head: 'Goes to',
          cell: (route) => <Badge color={isElsewhere(route) ? 'orange' : 'teal'}>{route.destination}</Badge>,
        },
        routes.some(({ expected }) => expected !== null) && {
          head: 'Expected',
          cell: ({ expected }) => expected ?? '',
        },
        { head: 'Probability', right: true, cell: ({ probability }) => probability?.toFixed(2) ?? '–' },
        { head: 'p-value', right: true, cell: ({ pValue }) => pValue?.toFixed(3) ?? '–' },
        { head: 'Asked in this order', cell: askedInOrder },
      ]}
    />
  );
}

function Judged({ accuracy, confusions }: Pick<Preview, 'accuracy' | 'confusions'>) {
  if (!accuracy) return null;
  const { value, low, high, questions } = accuracy;
  return (
    <Section
      title="As expected"
      says={`${percent(value, 1)} (${percent(low, 1)} to ${percent(high, 1)}) of ${plural(questions, 'question')}.`}
    >
      <Confusion
        cells={confusions.map(({ expected, destination, count }) => ({
          gold: expected,
          predicted: destination,
          count,
        }))}
      />
    </Section>
  );
}

/** Where each question of a list would go, and what a change moves. */
export default function WhatIfPage() {
  const [lines, setLines] = useInputState('');
  const [submittedQuestions, setAsked] = useState<ListedQuestion[]>([]);
  const [{ data, error, fetching }, refetch] = useQuery({
    query: PreviewRoutesDocument,
    variables: { input: { questions: submittedQuestions } },
    pause: submittedQuestions.length === 0,
  });
  const preview = () => {
    const questions = questionsOf(lines);
    if (JSON.stringify(questions) === JSON.stringify(submittedQuestions)) refetch({ requestPolicy: 'network-only' });
    setAsked(questions);
  };
  const routePreview = !fetching && data ? data.previewRoutes : null;
  const routes = routePreview?.routes.map((route, i) => ({ ...route, ...submittedQuestions[i]! })) ?? [];
  const expectThese = () => setLines(routes.map(({ text, destination }) => `${text}\t${destination}`).join('\n'));
  return (
    <>
      <PageHeader title="What if">
        Where each question of a list would go. Nobody answers it, and nothing is recorded.
      </PageHeader>
      <Stack>
        <Paper>
          <Form
            sending={{ fetching, error }}
            onSubmit={preview}
            action="Show where they go"
            waits="Looking…"
            disabled={questionsOf(lines).length === 0}
            beside={
              routePreview && (
                <Button variant="default" onClick={expectThese}>
                  Expect these destinations
                </Button>
              )
            }
          >
            <Textarea
              label="Questions"
              description="One a line, at most 500. Behind a tab: where it should go, as the name of an adapter, DOCUMENTS or NOBODY. To see what a change moves, expect these destinations, keep the list, make the change, and show the list again."
              autosize
              minRows={5}
              maxRows={14}
              value={lines}
              onChange={setLines}
            />
          </Form>
        </Paper>
        {routePreview && (
          <>
            <Note data-testid="what-if-router">{standing(routePreview.router)}</Note>
            <Judged {...routePreview} />
            <Routes routes={routes} />
          </>
        )}
      </Stack>
    </>
  );
}
