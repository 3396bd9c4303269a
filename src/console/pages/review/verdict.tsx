import { Button, Group, Kbd, Paper, Stack, Textarea } from '@mantine/core';
import { useInputState } from '@mantine/hooks';
import { useEffect, useRef, useState, type RefObject } from 'react';
import type { ItemReviewedFragment } from '../../generated/operations';
import { WaitingButton } from '../../parts/form';
import { Note } from '../../parts/page';
import { choicesOf, type Choice } from './choices';
import { readEntities, writtenEntities } from './entities';
import { Diff } from './item-view';
import type { Say } from './use-review';

const isField = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.tagName === 'TEXTAREA' || target.tagName === 'INPUT');

/** A button that does something else than choosing keeps its own Enter. */
const isOtherButton = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.closest('button:not([aria-pressed]), a') !== null;

/** What a correction begins with; null where nothing can be written. Entities are written one a line. */
function correctable({ answer, moves }: ItemReviewedFragment): string | null {
  if (moves.length > 0) return null;
  if (answer?.output.__typename === 'EntitiesOutput') return writtenEntities(answer.output.entities);
  return answer?.output.__typename === 'TextOutput' ? answer.text : null;
}

/** Does what is told by a key; in a field only Escape and Ctrl + Enter do something, in a dialog none. */
function useKeys(actions: Readonly<Record<string, () => void>>): void {
  // Anew after each rendering, so that it sees what is chosen and written by now.
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const { key, target } = event;
      if (document.querySelector('[role="dialog"]')) return;
      const hasModifier = event.ctrlKey || event.metaKey;
      if (isField(target) && !(hasModifier && key === 'Enter')) {
        if (key === 'Escape') (target as HTMLElement).blur();
        return;
      }
      if (event.altKey || (hasModifier && key !== 'Enter') || (key === 'Enter' && isOtherButton(target))) return;
      const action = actions[key.length === 1 ? key.toLowerCase() : key];
      if (!action) return;
      event.preventDefault();
      action();
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  });
}

/** What was written as right: its text, what it changes, or why it can't be read. */
function useCorrection(item: ItemReviewedFragment) {
  const text = correctable(item);
  const marks = item.answer?.output.__typename === 'EntitiesOutput';
  const [draft, setWritten] = useState<string | null>(null);
  const changed = draft !== null && text !== null && (marks || draft.trim() !== '') && draft !== text;
  const entities = changed && marks ? readEntities(item.question, draft) : [];
  const fault = typeof entities === 'string' ? entities : null;
  const right = !changed || typeof entities === 'string' ? null : marks ? { entities } : { text: draft };
  const begin = () => setWritten((previousDraft) => previousDraft ?? text);
  return { text, marks, written: draft, setWritten, begin, fault, right };
}

function Correction(props: {
  correction: ReturnType<typeof useCorrection>;
  field: RefObject<HTMLTextAreaElement | null>;
}) {
  const {
    correction: { text, marks, written, setWritten, begin, fault },
    field,
  } = props;
  if (text === null) return null;
  if (written === null)
    return (
      <Button variant="subtle" justify="flex-start" leftSection={<Kbd size="xs">E</Kbd>} onClick={begin}>
        Write what is right
      </Button>
    );
  return (
    <>
      <Textarea
        ref={field}
        label="What is right"
        description={marks ? 'One entity a line: its type, a colon, its words as the question has them.' : undefined}
        error={fault}
        autosize
        minRows={2}
        maxRows={12}
        value={written}
        onChange={(event) => setWritten(event.currentTarget.value)}
      />
      <Diff before={text} after={written} />
    </>
  );
}

function ChoiceButtons(props: {
  choices: readonly Choice[];
  chosen: number | null;
  onChoose: (index: number) => void;
}) {
  const { choices, chosen, onChoose } = props;
  return (
    <Stack gap={6} role="group" aria-label="What to say">
      {choices.map(({ label, detail }, i) => (
        <Button
          key={label}
          variant={chosen === i ? 'filled' : 'default'}
          aria-pressed={chosen === i}
          justify="flex-start"
          leftSection={<Kbd size="xs">{i + 1}</Kbd>}
          rightSection={detail}
          onClick={() => onChoose(i)}
        >
          {label}
        </Button>
      ))}
    </Stack>
  );
}

/** What can be said of an item. Its state goes with the item: a new one begins with nothing chosen. */
export function Verdict(props: {
  item: ItemReviewedFragment;
  waiting: boolean;
  onSay: Say;
  onSkip: () => void;
  onBack: () => void;
  onKeys: () => void;
}) {
  const { item, waiting, onSay, onSkip, onBack, onKeys } = props;
  const choices = choicesOf(item);
  const commented = item.answer !== null && item.moves.length === 0;
  const [chosenIndex, setChosen] = useState<number | null>(null);
  const [comment, setComment] = useInputState('');
  const correction = useCorrection(item);
  const correcting = useRef<HTMLTextAreaElement>(null);
  const commenting = useRef<HTMLTextAreaElement>(null);

  const say = () => {
    if (correction.fault !== null) return;
    const verdict = chosenIndex === null ? {} : choices[chosenIndex]!.said;
    const additions = {
      ...(correction.right && { expectation: { ...correction.right, newLabel: false }, score: verdict.score ?? -1 }),
      ...(comment.trim() !== '' && commented && { comment }),
    };
    if (chosenIndex === null && Object.keys(additions).length === 0) return;
    void onSay({ ...verdict, ...additions });
  };
  useKeys({
    ArrowRight: onSkip,
    ArrowLeft: onBack,
    ArrowDown: () => setChosen((index) => ((index ?? -1) + 1) % choices.length),
    ArrowUp: () => setChosen((index) => ((index ?? choices.length) - 1 + choices.length) % choices.length),
    Enter: say,
    e: () => {
      if (correction.text === null) return;
      correction.begin();
      setTimeout(() => correcting.current?.focus());
    },
    c: () => commenting.current?.focus(),
    '?': onKeys,
    ...Object.fromEntries(choices.map((_, i) => [`${i + 1}`, () => setChosen(i)])),
  });

  return (
    <Paper>
      <Stack gap="xs">
        <ChoiceButtons choices={choices} chosen={chosenIndex} onChoose={setChosen} />
        <Correction correction={correction} field={correcting} />
        {commented && (
          <Textarea
            ref={commenting}
            label="Comment"
            autosize
            minRows={1}
            maxRows={6}
            maxLength={4000}
            value={comment}
            onChange={setComment}
          />
        )}
        <Group gap="xs">
          <WaitingButton waits={waiting && 'Saving…'} onClick={say}>
            Say so
          </WaitingButton>
          <Button variant="default" onClick={onBack}>
            Back
          </Button>
          <Button variant="default" onClick={onSkip}>
            Leave it to others
          </Button>
        </Group>
        <Note size="xs">
          <Kbd size="xs">Enter</Kbd> says what is chosen, <Kbd size="xs">?</Kbd> shows all keys.
        </Note>
      </Stack>
    </Paper>
  );
}
