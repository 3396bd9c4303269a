import { Group, Kbd, MultiSelect, Paper, Select, Stack, Textarea } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { useSearch } from 'wouter';
import type { StrategyChoice } from '../../generated/operations';
import { adapterChoices, type Choices } from '../../parts/choices';
import { OneOf } from '../../parts/form';
import { count } from '../../parts/format';
import { Note } from '../../parts/page';
import { does, STRATEGY_CHOICES } from './names';

type Question = ReturnType<typeof useQuestion>;

/** Of a question, in UTF-16 units: what the gateway reads at most. */
const LONGEST_QUESTION = 8_000;

/** Two choices stand beside each other on a phone, and all in one row elsewhere. */
const NARROW = { flex: { base: '1 1 140px', sm: '0 1 180px' }, miw: 0 };

/** A question as it is typed, and what it is to be answered with. */
export function useQuestion({ datasets }: Choices) {
  // A collection's page leads here with its name.
  const initialCollection = new URLSearchParams(useSearch()).get('collection');
  const [text, setText] = useState('');
  const [strategy, setStrategy] = useState<StrategyChoice>('AUTO');
  const [collections, setCollections] = useState<string[]>(initialCollection === null ? [] : [initialCollection]);
  const [adapter, setAdapter] = useState<string | null>(null);
  const [dataset, setDataset] = useState<string | null>(null);
  const [model, setModel] = useState<string | null>(null);
  const labelled = datasets.flatMap(({ name, task }) => (task === 'CLASSIFICATION' ? [name] : []));
  // They read labelled rows instead of documents where a dataset is named.
  const rows = does(strategy, 'reads') ? dataset : null;
  const inCollections = rows === null && strategy !== 'ADAPTER';
  const common = {
    question: text,
    ...(rows !== null && { dataset: rows }),
    ...(inCollections && collections.length > 0 && { collections }),
    ...(model !== null && { model }),
  };
  const withAdapter = adapter === null ? {} : { adapter };
  const tooLong = text.length > LONGEST_QUESTION;
  return {
    text,
    setText,
    strategy,
    setStrategy,
    collections,
    setCollections,
    adapter,
    setAdapter,
    dataset,
    setDataset,
    model,
    setModel,
    labelled,
    inCollections,
    tooLong,
    unsendable: text.trim() === '' || tooLong,
    lacksAdapter: strategy === 'ADAPTER' && adapter === null,
    input: { ...common, strategy, ...(does(strategy, 'adapts') && withAdapter) },
    /** Where every strategy is asked. */
    inputOfAll: { ...common, ...withAdapter },
  };
}

/** What a question may be answered with; what is left empty, Graft chooses. */
function Means({ question, scope }: { question: Question; scope: Choices }) {
  const { strategy, collections, inCollections, labelled } = question;
  return (
    <Group gap="sm" align="flex-end">
      <OneOf label="Strategy" data={STRATEGY_CHOICES} value={strategy} onChange={question.setStrategy} {...NARROW} />
      {does(strategy, 'adapts') && (
        <Select
          label="Adapter"
          placeholder="Which one?"
          nothingFoundMessage="No adapter yet: train one."
          clearable
          searchable
          data={adapterChoices(scope.adapters)}
          value={question.adapter}
          onChange={question.setAdapter}
          {...NARROW}
        />
      )}
      <MultiSelect
        label="Collections"
        placeholder={collections.length === 0 ? 'All' : ''}
        data={scope.collections.map(({ name }) => name)}
        value={collections}
        onChange={question.setCollections}
        disabled={!inCollections}
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
          value={question.dataset}
          onChange={question.setDataset}
          {...NARROW}
        />
      )}
      <Select
        label="Model"
        placeholder="By default"
        clearable
        data={scope.models}
        value={question.model}
        onChange={question.setModel}
        {...NARROW}
      />
    </Group>
  );
}

export function QuestionForm(props: { question: Question; scope: Choices; onSend: () => void; children: ReactNode }) {
  const { question, scope, onSend, children } = props;
  const { text, setText, tooLong } = question;
  return (
    <Paper mb="md">
      <Stack gap="sm">
        <Textarea
          label="Question"
          placeholder="What do you want to know?"
          autosize
          minRows={2}
          maxRows={8}
          autoFocus
          error={tooLong ? `${count(text.length)} characters; at most ${count(LONGEST_QUESTION)} are read.` : null}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            // Enter that ends a composition chooses a character.
            if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
            event.preventDefault();
            onSend();
          }}
        />
        <Means question={question} scope={scope} />
        <Group gap="sm" justify="space-between">
          <Note size="xs">
            <Kbd size="xs">Enter</Kbd> asks, <Kbd size="xs">Shift</Kbd> + <Kbd size="xs">Enter</Kbd> begins a new line.
          </Note>
          <Group gap="sm">{children}</Group>
        </Group>
      </Stack>
    </Paper>
  );
}
