import { Anchor, Badge, Paper, SimpleGrid, Stack, Switch, Table, Text, Title } from '@mantine/core';
import { IconRoute } from '@tabler/icons-react';
import { useMutation, useQuery } from 'urql';
import { Link } from 'wouter';
import {
  FitRouterInConsoleDocument,
  RouterFitShownDocument,
  RouterShownDocument,
  SetRouterModeInConsoleDocument,
  type RouterFitShownSubscription,
  type RouterShownQuery,
} from '../../generated/operations';
import { Figure } from '../../parts/figure';
import { count, dateTime, percent } from '../../parts/format';
import { RunProgress } from '../../parts/run-progress';
import { ScrollRegion } from '../../parts/scroll-region';
import { EmptyState, ErrorState, Loading, PageHeader } from '../../parts/states';
import { useRun } from '../../parts/use-run';
import { WaitingButton } from '../../parts/waiting-button';
import { adapterPath } from '../adapters/paths';

type Router = NonNullable<RouterShownQuery['router']>;

const eventOf = ({ routerFitProgress }: RouterFitShownSubscription) => routerFitProgress;

/** The router decides, or only says what it would have decided. */
function Mode({ router: { version, mode, missing } }: { router: Router }) {
  const [{ error, fetching }, change] = useMutation(SetRouterModeInConsoleDocument);
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
      {error && <ErrorState error={error} />}
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
      <Text size="sm" c="dimmed" mt="xs">
        Measured on questions that it was not fitted on. The calibration error is how far its probabilities are from how
        often it is right.
      </Text>
    </div>
  );
}

const placePath = ({ name, adapts }: Router['places'][number]): string =>
  adapts ? adapterPath(name.split('@')[0]!) : `/knowledge/${encodeURIComponent(name)}`;

function Places({ router: { places, leftOut } }: { router: Router }) {
  return (
    <Paper>
      <Title order={2} size="h3" mb="xs">
        Places that it knows
      </Title>
      <ScrollRegion minWidth={640} stacks={2}>
        <Table verticalSpacing="xs" aria-label="Places that it knows">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Place</Table.Th>
              <Table.Th>Kind</Table.Th>
              <Table.Th ta="right">AUROC</Table.Th>
              <Table.Th ta="right">Own questions</Table.Th>
              <Table.Th ta="right">Foreign questions</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {places.map((place) => (
              <Table.Tr key={`${place.adapts} ${place.name}`}>
                <Table.Td>
                  <Anchor component={Link} href={placePath(place)} size="sm">
                    {place.name}
                  </Anchor>
                </Table.Td>
                <Table.Td data-label="Kind">
                  <Badge color={place.adapts ? 'violet' : 'teal'} miw="max-content">
                    {place.adapts ? 'adapter' : 'collection'}
                  </Badge>
                </Table.Td>
                <Table.Td ta="right" fw={600} data-label="AUROC">
                  {place.auc.toFixed(3)}
                </Table.Td>
                <Table.Td ta="right" data-label="Own questions">
                  {count(place.own)}
                </Table.Td>
                <Table.Td ta="right" data-label="Foreign questions">
                  {count(place.foreign)}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </ScrollRegion>
      <Text size="sm" c="dimmed" mt="xs">
        AUROC is the probability that a question of the place’s own looks nearer to it than a foreign one; 0.5 is
        chance. Everything else belongs to nothing, and is refused unless the base model may answer it.
      </Text>
      {leftOut.length > 0 && (
        <Text size="sm" c="dimmed" mt="xs" data-testid="router-left-out">
          Left out, because too few questions could be made of them: {leftOut.join(', ')}.
        </Text>
      )}
    </Paper>
  );
}

const BECAME = { ADDED: 'new', CHANGED: 'changed', REMOVED: 'gone' } as const;

/** What it does not know yet, and whether it is about to learn it. */
function Changes({ router: { changes, fitting } }: { router: Router }) {
  const waits = fitting && (fitting.status === 'QUEUED' ? 'A fit waits for its turn' : 'It is being fitted anew');
  return (
    <Text size="sm" c="dimmed" data-testid="router-changes">
      {changes.length === 0
        ? 'Nothing has changed notably since it was fitted.'
        : `Since it was fitted: ${changes.map(({ name, change }) => `${name} ${BECAME[change]}`).join(', ')}.`}{' '}
      {waits ? `${waits}.` : 'It is fitted anew by itself when collections or adapters in production change.'}
    </Text>
  );
}

export default function RouterPage() {
  const [{ data, error }, again] = useQuery({ query: RouterShownDocument });
  const [{ error: refused, fetching }, fit] = useMutation(FitRouterInConsoleDocument);
  const { event, error: lost, watch } = useRun(RouterFitShownDocument, eventOf);
  const fits = fetching || event?.status === 'QUEUED' || event?.status === 'RUNNING';
  const router = data?.router ?? null;
  const start = async () => {
    // A version that takes the place of another goes on as that did.
    const input = { mode: router?.mode ?? 'APPLY', idempotencyKey: crypto.randomUUID() };
    const begun = await fit({ input });
    if (!begun.data) return;
    await watch(begun.data.fitRouter.run.id);
    again({ requestPolicy: 'network-only' });
  };
  const button = (label: string) => (
    <WaitingButton
      variant={router ? 'default' : 'filled'}
      waits={fits ? 'Learning from questions…' : null}
      onClick={() => void start()}
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
        {(event !== null || lost !== null) && event?.status !== 'SUCCEEDED' && (
          <Paper>
            <RunProgress event={event} error={lost} />
          </Paper>
        )}
        {refused && <ErrorState error={refused} />}
        {error && !data && <ErrorState error={error} onRetry={again} />}
        {!error && !data && <Loading label="Loading the router" />}
        {data && !router && (
          <EmptyState icon={IconRoute} title="No router yet" action={button('Fit the router')}>
            Without one, Graft reads where there are documents. A router is fitted by itself when an adapter gets into
            production: to its rows and to questions made of your texts, and measured on others.
          </EmptyState>
        )}
        {router && (
          <>
            <Mode router={router} />
            <Figures figures={router.figures} />
            <Places router={router} />
            <Changes router={router} />
          </>
        )}
      </Stack>
    </>
  );
}
