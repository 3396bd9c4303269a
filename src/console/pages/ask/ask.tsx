import {
  Badge,
  Button,
  Group,
  Kbd,
  MultiSelect,
  Paper,
  Select,
  SimpleGrid,
  Stack,
  Tabs,
  Text,
  Textarea,
} from '@mantine/core';
import { IconColumns, IconHistory, IconMessageQuestion, IconPlayerStop, IconSend } from '@tabler/icons-react';
import { useState } from 'react';
import { useClient, useQuery } from 'urql';
import { Link } from 'wouter';
import {
  AskEveryStrategyDocument,
  AskScopeDocument,
  type AnswerShownFragment,
  type AskScopeQuery,
  type StrategyChoice,
} from '../../generated/operations';
import { DocumentDrawer, type Place } from '../../parts/document/document-place';
import { EmptyState, ErrorState, PageHeader } from '../../parts/states';
import { AnswerView } from './answer-view';
import { History } from './history';
import { useAsk } from './use-ask';

const STRATEGIES: { value: StrategyChoice; label: string }[] = [
  { value: 'AUTO', label: 'Graft chooses' },
  { value: 'BASE', label: 'Base model' },
  { value: 'RAG', label: 'Retrieval' },
  { value: 'ADAPTER', label: 'Adapter' },
  { value: 'HYBRID', label: 'Adapter and retrieval' },
];
const ADAPTED: readonly StrategyChoice[] = ['ADAPTER', 'HYBRID'];

/** Each adapter by its name, when it has a version in production, and each of its versions. */
const adapterChoices = (scope: AskScopeQuery | undefined): string[] =>
  (scope?.adapters.edges ?? []).flatMap(({ node: { name, versions } }) => [
    ...(versions.some(({ aliases }) => aliases.includes('PRODUCTION')) ? [name] : []),
    ...versions.map(({ version }) => `${name}@${version}`),
  ]);

const modelChoices = (scope: AskScopeQuery | undefined): string[] =>
  (scope?.models.edges ?? []).flatMap(({ node: { name, variants } }) =>
    variants.map(({ quantization }) => `${name}@${quantization}`),
  );

/** The same question through every strategy that can answer. */
interface Comparison {
  running: boolean;
  answers: AnswerShownFragment[];
  error: unknown;
}

export default function AskPage() {
  const client = useClient();
  const [question, setQuestion] = useState('');
  const [strategy, setStrategy] = useState<StrategyChoice>('AUTO');
  const [collections, setCollections] = useState<string[]>([]);
  const [adapter, setAdapter] = useState<string | null>(null);
  const [model, setModel] = useState<string | null>(null);
  const [place, setPlace] = useState<Place | null>(null);
  const [tab, setTab] = useState<string | null>('answer');
  const [comparison, setComparison] = useState<Comparison>({ running: false, answers: [], error: null });
  const { asking, ask, stop } = useAsk();
  const [{ data: scope }] = useQuery({ query: AskScopeDocument });
  const known = scope?.collections.edges.map(({ node }) => node) ?? [];
  const empty = scope !== undefined && known.every(({ documentCount }) => documentCount === 0);
  const busy = asking.status === 'waiting' || asking.status === 'writing';
  const adapted = ADAPTED.includes(strategy);
  const lacksAdapter = strategy === 'ADAPTER' && adapter === null;
  const input = {
    question,
    ...(collections.length > 0 && strategy !== 'ADAPTER' ? { collections } : {}),
    ...(model === null ? {} : { model }),
  };

  const send = () => {
    if (question.trim() === '' || busy || lacksAdapter) return;
    setTab('answer');
    void ask({ ...input, strategy, ...(adapted && adapter !== null ? { adapter } : {}) });
  };
  const compare = async () => {
    setTab('compare');
    setComparison({ running: true, answers: [], error: null });
    const { data, error } = await client.query(
      AskEveryStrategyDocument,
      { input: { ...input, ...(adapter === null ? {} : { adapter }) } },
      { requestPolicy: 'network-only' },
    );
    setComparison({ running: false, answers: data?.answerAll ?? [], error: error ?? null });
  };

  return (
    <>
      <PageHeader title="Ask">Answers with the sentences they rest on, and why they were made this way.</PageHeader>
      <Paper mb="md">
        <Stack gap="sm">
          <Textarea
            label="Question"
            placeholder="What do you want to know?"
            autosize
            minRows={2}
            maxRows={8}
            maxLength={8000}
            value={question}
            onChange={(event) => setQuestion(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) send();
            }}
          />
          <Group gap="sm" align="flex-end">
            <Select
              label="Strategy"
              data={STRATEGIES}
              value={strategy}
              allowDeselect={false}
              onChange={(value) => setStrategy(value ?? 'AUTO')}
              w={180}
            />
            {adapted && (
              <Select
                label="Adapter"
                placeholder="Which one?"
                nothingFoundMessage="No adapter yet: train one."
                clearable
                searchable
                data={adapterChoices(scope)}
                value={adapter}
                onChange={setAdapter}
                w={200}
              />
            )}
            <MultiSelect
              label="Collections"
              placeholder={collections.length === 0 ? 'All' : ''}
              data={known.map(({ name }) => name)}
              value={collections}
              onChange={setCollections}
              disabled={strategy === 'ADAPTER'}
              flex="1 1 200px"
            />
            <Select
              label="Model"
              placeholder="By default"
              clearable
              data={modelChoices(scope)}
              value={model}
              onChange={setModel}
              w={200}
            />
            {busy ? (
              <Button color="red" leftSection={<IconPlayerStop size={16} />} onClick={stop}>
                Stop
              </Button>
            ) : (
              <Button
                leftSection={<IconSend size={16} />}
                disabled={question.trim() === '' || lacksAdapter}
                onClick={send}
              >
                Ask
              </Button>
            )}
            <Button
              variant="default"
              leftSection={<IconColumns size={16} />}
              disabled={question.trim() === '' || busy}
              loading={comparison.running}
              onClick={() => void compare()}
            >
              Compare strategies
            </Button>
          </Group>
          <Text size="xs" c="dimmed">
            <Kbd size="xs">Ctrl</Kbd> + <Kbd size="xs">Enter</Kbd> asks.
          </Text>
        </Stack>
      </Paper>
      <Tabs value={tab} onChange={setTab} keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="answer">Answer</Tabs.Tab>
          <Tabs.Tab value="compare">Side by side</Tabs.Tab>
          <Tabs.Tab value="history" leftSection={<IconHistory size={14} />}>
            History
          </Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="answer">
          {asking.status === 'idle' &&
            (empty ? (
              <EmptyState
                icon={IconMessageQuestion}
                title="There are no documents yet"
                action={
                  <Button component={Link} href="/knowledge">
                    Add documents
                  </Button>
                }
              >
                The base model answers from what it knows. With documents of your own you get answers that quote them.
              </EmptyState>
            ) : (
              <EmptyState icon={IconMessageQuestion} title="Ask your first question">
                The answer streams in here, with its evidence, its route and its timing.
              </EmptyState>
            ))}
          {busy && (
            <Paper aria-live="polite">
              <Text size="lg" className="caret">
                {asking.text}
              </Text>
              <Text size="sm" c="dimmed" mt="xs">
                {asking.status === 'waiting'
                  ? asking.step
                  : 'Writing; the answer is checked against its evidence at the end.'}
              </Text>
            </Paper>
          )}
          {asking.status === 'stopped' && (
            <Paper>
              <Text>{asking.text}</Text>
              <Badge color="yellow" mt="xs">
                stopped
              </Badge>
            </Paper>
          )}
          {asking.status === 'failed' && <ErrorState error={asking.error} onRetry={send} />}
          {asking.answer && <AnswerView answer={asking.answer} onOpen={setPlace} />}
        </Tabs.Panel>
        <Tabs.Panel value="compare">
          {comparison.error !== null && <ErrorState error={comparison.error} onRetry={() => void compare()} />}
          {comparison.running && <Text c="dimmed">Each strategy answers, one after the other…</Text>}
          {!comparison.running && comparison.error === null && comparison.answers.length === 0 && (
            <EmptyState icon={IconColumns} title="Nothing to compare yet">
              Type a question and choose “Compare strategies”: each strategy that can answer does so.
            </EmptyState>
          )}
          <SimpleGrid cols={{ base: 1, lg: 2 }}>
            {comparison.answers.map((answer) => (
              <AnswerView key={answer.id} answer={answer} onOpen={setPlace} />
            ))}
          </SimpleGrid>
        </Tabs.Panel>
        <Tabs.Panel value="history">
          <History onOpen={setPlace} />
        </Tabs.Panel>
      </Tabs>
      <DocumentDrawer place={place} onClose={() => setPlace(null)} />
    </>
  );
}
