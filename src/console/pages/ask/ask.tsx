import { Button, SimpleGrid, Tabs, Text } from '@mantine/core';
import { IconColumns, IconHistory, IconPlayerStop, IconSend } from '@tabler/icons-react';
import { useState } from 'react';
import { useClient } from 'urql';
import { useSearch } from 'wouter';
import { AskEveryStrategyDocument, type AnswerShownFragment, type AskInput } from '../../generated/operations';
import { useChoices } from '../../parts/choices';
import { DocumentDrawer, type Place } from '../../parts/document/document-place';
import { WaitingButton } from '../../parts/form';
import { EmptyState, ErrorState, PageHeader } from '../../parts/page';
import { AnswerPanel, useFirstDocuments } from './answer-panel';
import { AnswerView } from './answer-view';
import { Earlier, History, Recorded } from './history';
import { QuestionForm, useQuestion } from './question';
import { useAsk } from './use-ask';

/** The same question through every strategy that can answer. */
interface Comparison {
  running: boolean;
  answers: AnswerShownFragment[];
  error: unknown;
}

const NONE: Comparison = { running: false, answers: [], error: null };

/** Asks every strategy, one after the other. */
function useComparison() {
  const client = useClient();
  const [comparison, setComparison] = useState(NONE);
  const compare = async (input: AskInput) => {
    setComparison({ ...NONE, running: true });
    const { data, error } = await client.query(AskEveryStrategyDocument, { input }, { requestPolicy: 'network-only' });
    setComparison({ running: false, answers: data?.answerAll ?? [], error });
  };
  return { comparison, compare };
}

function SideBySide(props: { comparison: Comparison; onRetry: () => void; onOpen: (place: Place) => void }) {
  const {
    comparison: { running, answers, error },
    onRetry,
    onOpen,
  } = props;
  return (
    <>
      <ErrorState error={error} onRetry={onRetry} />
      {running && <Text c="dimmed">Each strategy answers, one after the other…</Text>}
      {!running && !error && answers.length === 0 && (
        <EmptyState icon={IconColumns} title="Nothing to compare yet">
          Type a question and choose “Compare strategies”: each strategy that can answer does so.
        </EmptyState>
      )}
      <SimpleGrid cols={{ base: 1, lg: 2 }}>
        {answers.map((answer) => (
          <AnswerView key={answer.id} answer={answer} onOpen={onOpen} />
        ))}
      </SimpleGrid>
    </>
  );
}

/** Asks, or stops the answer that is under way. */
function AskButton(props: { busy: boolean; disabled: boolean; onAsk: () => void; onStop: () => void }) {
  const { busy, disabled, onAsk, onStop } = props;
  return busy ? (
    <Button color="red" leftSection={<IconPlayerStop size={16} />} onClick={onStop}>
      Stop
    </Button>
  ) : (
    <Button leftSection={<IconSend size={16} />} disabled={disabled} onClick={onAsk}>
      Ask
    </Button>
  );
}

export default function AskPage() {
  // The address of an answer leads here.
  const linked = new URLSearchParams(useSearch()).get('answer');
  const [place, setPlace] = useState<Place | null>(null);
  const [tab, setTab] = useState<string | null>('answer');
  const { comparison, compare } = useComparison();
  const { asking, ask, stop, conversationId, earlier, beginAnew } = useAsk();
  const scope = useChoices();
  const firstDocuments = useFirstDocuments(scope);
  const question = useQuestion(scope);
  const busy = asking.status === 'waiting' || asking.status === 'writing';

  const send = () => {
    if (question.unsendable || busy || question.lacksAdapter) return;
    setTab('answer');
    void ask({ ...question.input, conversationId });
  };
  const compareAll = () => {
    setTab('compare');
    void compare(question.inputOfAll);
  };

  return (
    <>
      <PageHeader title="Ask">Answers with the sentences they rest on, and why they were made this way.</PageHeader>
      <QuestionForm question={question} scope={scope} onSend={send}>
        <AskButton busy={busy} disabled={question.unsendable || question.lacksAdapter} onAsk={send} onStop={stop} />
        <WaitingButton
          variant="default"
          leftSection={<IconColumns size={16} />}
          disabled={question.unsendable || busy}
          waits={comparison.running && 'Each strategy answers…'}
          onClick={compareAll}
        >
          Compare strategies
        </WaitingButton>
      </QuestionForm>
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
            <AnswerPanel
              asking={asking}
              scope={scope}
              firstDocuments={firstDocuments}
              onOpen={setPlace}
              onRetry={send}
              onPick={question.setText}
            />
          )}
          <Earlier answers={earlier} onNew={beginAnew} />
        </Tabs.Panel>
        <Tabs.Panel value="compare">
          <SideBySide comparison={comparison} onRetry={compareAll} onOpen={setPlace} />
        </Tabs.Panel>
        <Tabs.Panel value="history">
          <History onOpen={setPlace} />
        </Tabs.Panel>
      </Tabs>
      <DocumentDrawer place={place} onClose={() => setPlace(null)} />
    </>
  );
}
