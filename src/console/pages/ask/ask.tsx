import { Button, Group, Kbd, MultiSelect, Paper, Select, SimpleGrid, Stack, Tabs, Text, Textarea } from '@mantine/core';
import { IconColumns, IconHistory, IconPlayerStop, IconSend } from '@tabler/icons-react';
import { useState } from 'react';
import { useClient, useQuery } from 'urql';
import { useSearch } from 'wouter';
import {
  AskEveryStrategyDocument,
  AskScopeDocument,
  type AnswerShownFragment,
  type AskScopeQuery,
  type StrategyChoice,
} from '../../generated/operations';
import { DocumentDrawer, type Place } from '../../parts/document/document-place';
import { count } from '../../parts/format';
import { EmptyState, ErrorState, PageHeader } from '../../parts/states';
import { WaitingButton } from '../../parts/waiting-button';
import { adapterChoices } from '../adapters/choices';
import { AnswerPanel } from './answer-panel';
import { AnswerView } from './answer-view';
import { Earlier } from './earlier';
import { History, Recorded } from './history';
import { does, STRATEGY_CHOICES } from './names';
import { useAsk } from './use-ask';

const labelledDatasets = (scope: AskScopeQuery | undefined): string[] =>
  (scope?.datasets.edges ?? []).flatMap(({ node: { name, task } }) => (task === 'CLASSIFICATION' ? [name] : []));

const modelChoices = (scope: AskScopeQuery | undefined): string[] =>
  (scope?.models.edges ?? []).flatMap(({ node: { name, variants } }) =>
    variants.map(({ quantization }) => `${name}@${quantization}`),
  );

/** Of a question, in UTF-16 units: what the gateway reads at most. */
const LONGEST_QUESTION = 8_000;

/** Two choices stand beside each other on a phone, and all in one row elsewhere. */
const NARROW = { base: '1 1 140px', sm: '0 1 180px' };

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
  // A collection's page leads here with its name.
  const address = new URLSearchParams(useSearch());
  const named = address.get('collection');
  // So does the address of an answer.
  const linked = address.get('answer');
  const [collections, setCollections] = useState<string[]>(named === null ? [] : [named]);
  const [adapter, setAdapter] = useState<string | null>(null);
  const [dataset, setDataset] = useState<string | null>(null);
  const [model, setModel] = useState<string | null>(null);
  const [place, setPlace] = useState<Place | null>(null);
  const [tab, setTab] = useState<string | null>('answer');
  const [comparison, setComparison] = useState<Comparison>({ running: false, answers: [], error: null });
  const { asking, ask, stop, conversationId, earlier, beginAnew } = useAsk();
  const [{ data: scope }, lookAgain] = useQuery({ query: AskScopeDocument });
  const known = scope?.collections.edges.map(({ node }) => node) ?? [];
  const busy = asking.status === 'waiting' || asking.status === 'writing';
  const adapted = does(strategy, 'adapts');
  const lacksAdapter = strategy === 'ADAPTER' && adapter === null;
  const labelled = labelledDatasets(scope);
  // They read labelled rows instead of documents where a dataset is named.
  const reads = does(strategy, 'reads') ? dataset : null;
  const tooLong = question.length > LONGEST_QUESTION;
  const unsendable = question.trim() === '' || tooLong;
  const input = {
    question,
    ...(reads !== null ? { dataset: reads } : collections.length > 0 && strategy !== 'ADAPTER' ? { collections } : {}),
    ...(model === null ? {} : { model }),
  };

  const documentsCame = () => lookAgain({ requestPolicy: 'network-only' });
  const send = () => {
    if (unsendable || busy || lacksAdapter) return;
    setTab('answer');
    void ask({ ...input, conversationId, strategy, ...(adapted && adapter !== null ? { adapter } : {}) });
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
            autoFocus
            error={
              tooLong ? `${count(question.length)} characters; at most ${count(LONGEST_QUESTION)} are read.` : null
            }
            value={question}
            onChange={(event) => setQuestion(event.currentTarget.value)}
            onKeyDown={(event) => {
              // Enter that ends a composition chooses a character.
              if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
              event.preventDefault();
              send();
            }}
          />
          <Group gap="sm" align="flex-end">
            <Select
              label="Strategy"
              data={STRATEGY_CHOICES}
              value={strategy}
              allowDeselect={false}
              onChange={(value) => setStrategy(value ?? 'AUTO')}
              flex={NARROW}
              miw={0}
            />
            {adapted && (
              <Select
                label="Adapter"
                placeholder="Which one?"
                nothingFoundMessage="No adapter yet: train one."
                clearable
                searchable
                data={adapterChoices(scope?.adapters.edges.map(({ node }) => node) ?? [])}
                value={adapter}
                onChange={setAdapter}
                flex={NARROW}
                miw={0}
              />
            )}
            <MultiSelect
              label="Collections"
              placeholder={collections.length === 0 ? 'All' : ''}
              data={known.map(({ name }) => name)}
              value={collections}
              onChange={setCollections}
              disabled={strategy === 'ADAPTER' || reads !== null}
              flex="2 1 140px"
              miw={0}
            />
            {does(strategy, 'reads') && labelled.length > 0 && (
              <Select
                label="Labelled rows"
                placeholder="Documents instead"
                clearable
                searchable
                data={labelled}
                value={dataset}
                onChange={setDataset}
                flex={NARROW}
                miw={0}
              />
            )}
            <Select
              label="Model"
              placeholder="By default"
              clearable
              data={modelChoices(scope)}
              value={model}
              onChange={setModel}
              flex={NARROW}
              miw={0}
            />
          </Group>
          <Group gap="sm" justify="space-between">
            <Text size="xs" c="dimmed">
              <Kbd size="xs">Enter</Kbd> asks, <Kbd size="xs">Shift</Kbd> + <Kbd size="xs">Enter</Kbd> begins a new
              line.
            </Text>
            <Group gap="sm">
              {busy ? (
                <Button color="red" leftSection={<IconPlayerStop size={16} />} onClick={stop}>
                  Stop
                </Button>
              ) : (
                <Button leftSection={<IconSend size={16} />} disabled={unsendable || lacksAdapter} onClick={send}>
                  Ask
                </Button>
              )}
              <WaitingButton
                variant="default"
                leftSection={<IconColumns size={16} />}
                disabled={unsendable || busy}
                waits={comparison.running ? 'Each strategy answers…' : null}
                onClick={() => void compare()}
              >
                Compare strategies
              </WaitingButton>
            </Group>
          </Group>
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
          {asking.status === 'idle' && linked !== null ? (
            <Recorded id={linked} onOpen={setPlace} />
          ) : (
            <AnswerPanel asking={asking} scope={scope} onOpen={setPlace} onRetry={send} onDocuments={documentsCame} />
          )}
          <Earlier answers={earlier} onNew={beginAnew} />
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
