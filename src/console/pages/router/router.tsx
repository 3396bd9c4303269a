import { Badge, Paper, SimpleGrid, Stack, Switch, Text } from '@mantine/core';
import { IconRoute } from '@tabler/icons-react';
import { useMutation, useQuery } from 'urql';
import {
  FitRouterDocument,
  RouterFitProgressDocument,
  RouterDocument,
  SetRouterModeDocument,
  type RouterQuery,
} from '../../generated/operations';
import { WaitingButton } from '../../parts/form';
import { count, dateTime, percent } from '../../parts/format';
import { Opened } from '../../parts/loaded';
import { EmptyState, ErrorState, Figure, Note, PageHeader, Section, To } from '../../parts/page';
import { adapterPath, collectionPath } from '../../parts/paths';
import { RunProgress, useStartedRun } from '../../parts/runs';
import { DataTable } from '../../parts/table';

type Router = NonNullable<RouterQuery['router']>;

/** The router decides, or only says what it would have decided. */
function Mode({ router: { version, mode, missing } }: { router: Router }) {
  const [{ error, fetching }, change] = useMutation(SetRouterModeDocument);
  const applies = mode === 'APPLY';
  return (
    <Paper>
      <Switch
        label="The router decides where a question names no strategy"
        description={
          fetching
            ? 'Changing…'
            : applies
              ? 'Answers are made with what it chose.'
              : 'It only observes: answers say what it would have chosen, and are made without it.'
        }
        checked={applies}
        onChange={() => {
          if (!fetching) void change({ version, mode: applies ? 'OBSERVE' : 'APPLY' });
        }}
      />
      {missing && (
        <Text size="sm" mt="xs" data-testid="router-missing">
          It decides nothing yet. {missing}
        </Text>
      )}
      <ErrorState error={error} />
    </Paper>
  );
}

function Figures({ figures }: { figures: Router['figures'] }) {
  return (
    <div>
      <SimpleGrid cols={{ base: 2, sm: 4 }} spacing="sm">
        <Figure label="Placed rightly" value={percent(figures.accuracy, 1)} />
        <Figure label="Always the commonest place" value={percent(figures.commonest, 1)} />
        <Figure label="Calibration error" value={figures.calibrationError.toFixed(3)} />
        <Figure label="Questions measured on" value={count(figures.questions)} />
      </SimpleGrid>
      <Note mt="xs">
        Measured on questions that it was not fitted on. The calibration error is how far its probabilities are from how
        often it is right.
      </Note>
    </div>
  );
}

const placePath = ({ name, adapts }: Router['places'][number]): string =>
  adapts ? adapterPath(name.split('@')[0]!) : collectionPath(name);

function Places({ router: { places, leftOut } }: { router: Router }) {
  return (
    <Section title="Places that it knows">
      <DataTable
        label="Places that it knows"
        minWidth={640}
        stacks={2}
        rows={places}
        columns={[
          { head: 'Place', label: null, cell: (place) => <To href={placePath(place)}>{place.name}</To> },
          {
            head: 'Kind',
            cell: ({ adapts }) => (
              <Badge color={adapts ? 'violet' : 'teal'} miw="max-content">
                {adapts ? 'adapter' : 'collection'}
              </Badge>
            ),
          },
          { head: 'AUROC', right: true, fw: 600, cell: ({ auc }) => auc.toFixed(3) },
          { head: 'Own questions', right: true, cell: ({ own }) => count(own) },
          { head: 'Foreign questions', right: true, cell: ({ foreign }) => count(foreign) },
        ]}
      />
      <Note mt="xs">
        AUROC is the probability that a question of the place’s own looks nearer to it than a foreign one; 0.5 is
        chance. Everything else belongs to nothing, and is refused unless the base model may answer it.
      </Note>
      {leftOut.length > 0 && (
        <Note mt="xs" data-testid="router-left-out">
          Left out, because too few questions could be made of them: {leftOut.join(', ')}.
        </Note>
      )}
    </Section>
  );
}

const BECAME = { ADDED: 'new', CHANGED: 'changed', REMOVED: 'gone' } as const;

/** What it does not know yet, and whether it is about to learn it. */
function Changes({ router: { changes, fitting } }: { router: Router }) {
  const waits = fitting && (fitting.status === 'QUEUED' ? 'A fit waits for its turn' : 'It is being fitted anew');
  return (
    <Note data-testid="router-changes">
      {changes.length === 0
        ? 'Nothing has changed notably since it was fitted.'
        : `Since it was fitted: ${changes.map(({ name, change }) => `${name} ${BECAME[change]}`).join(', ')}.`}{' '}
      {waits ? `${waits}.` : 'It is fitted anew by itself when collections or adapters in production change.'}
    </Note>
  );
}

export default function RouterPage() {
  const result = useQuery({ query: RouterDocument });
  const [{ data }, refetch] = result;
  const run = useStartedRun(FitRouterDocument, RouterFitProgressDocument);
  const router = data?.router ?? null;
  const start = async () => {
    // A version that takes the place of another goes on as that did.
    if (await run.start({ mode: router?.mode ?? 'APPLY' })) refetch({ requestPolicy: 'network-only' });
  };
  const button = (label: string) => (
    <WaitingButton
      variant={router ? 'default' : 'filled'}
      waits={run.busy && 'Learning from questions…'}
      onClick={start}
    >
      {label}
    </WaitingButton>
  );
  return (
    <>
      <PageHeader title="Router" actions={router && button('Fit it again')}>
        {router
          ? `Version ${router.version} · fitted ${dateTime(router.createdAt)}`
          : 'Learns which questions belong to which collection or adapter.'}
      </PageHeader>
      <Stack>
        {(run.event !== null || run.error !== null) && run.event?.status !== 'SUCCEEDED' && (
          <Paper>
            <RunProgress run={run} />
          </Paper>
        )}
        <Opened
          shown={result}
          what="router"
          thing={() => router}
          missing={
            <EmptyState icon={IconRoute} title="No router yet" action={button('Fit the router')}>
              Without one, Graft reads where there are documents. A router is fitted by itself when an adapter gets into
              production: to its rows and to questions made of your texts, and measured on others.
            </EmptyState>
          }
        >
          {(fitted) => (
            <>
              <Mode router={fitted} />
              <Figures figures={fitted.figures} />
              <Places router={fitted} />
              <Changes router={fitted} />
            </>
          )}
        </Opened>
      </Stack>
    </>
  );
}
