import { does } from './names';
import { useCallback, useRef, useState } from 'react';
import { AskInConsoleDocument, type AnswerShownFragment, type AskInput } from '../../generated/operations';
import { follow } from '../../parts/follow';

/** How far a question is. */
export interface Asking {
  status: 'idle' | 'waiting' | 'writing' | 'done' | 'failed' | 'stopped';
  /** What is being waited for, in words. */
  step: string;
  /** Provisional until `answer` is there. */
  text: string;
  answer: AnswerShownFragment | null;
  error: unknown;
}

const IDLE: Asking = { status: 'idle', step: '', text: '', answer: null, error: null };

/** Asks one question of a conversation at a time and keeps what has come so far; `stop` ends the work in the gateway too. */
export function useAsk() {
  const [asking, setAsking] = useState(IDLE);
  // What was asked before in the conversation, by which a question that points back is understood.
  const [conversationId, setConversationId] = useState(() => crypto.randomUUID());
  const [answers, setAnswers] = useState<AnswerShownFragment[]>([]);
  const running = useRef<AbortController | null>(null);

  const ask = useCallback(async (input: AskInput): Promise<void> => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    const change = (change: Partial<Asking> | ((before: Asking) => Partial<Asking>)) => {
      if (running.current === controller)
        setAsking((previousState) => ({
          ...previousState,
          ...(typeof change === 'function' ? change(previousState) : change),
        }));
    };
    setAsking({ ...IDLE, status: 'waiting', step: 'Choosing a strategy…' });
    // With the same id a reconnected stream joins the answer instead of making it again.
    const request = { ...input, requestId: crypto.randomUUID() };
    try {
      for await (const { askStream: event } of follow(
        AskInConsoleDocument,
        () => ({ input: request }),
        controller.signal,
      ))
        switch (event.__typename) {
          case 'RouteChosen':
            change({
              step: does(event.route.strategy, 'reads')
                ? 'Looking through the documents…'
                : 'The model reads the question…',
              text: '',
            });
            break;
          case 'PassagesRetrieved':
            change({ step: `The model reads ${event.passages.length} passages…` });
            break;
          case 'ConflictsFound':
            break; // The answer holds them, too.
          case 'TextDelta':
            change(({ text }) => ({ status: 'writing', text: text + event.text }));
            break;
          case 'TextReplaced':
            change({ status: 'writing', text: event.text });
            break;
          case 'AnswerReady':
            change({ status: 'done', answer: event.answer, text: event.answer.text });
            setAnswers((previousAnswers) => [event.answer, ...previousAnswers]);
        }
    } catch (error) {
      change({ status: 'failed', error });
    }
  }, []);

  const stop = useCallback(() => {
    running.current?.abort();
    setAsking((previousState) => ({ ...previousState, status: 'stopped' }));
  }, []);

  const beginAnew = useCallback(() => {
    running.current?.abort();
    running.current = null;
    setConversationId(crypto.randomUUID());
    setAnswers([]);
    setAsking(IDLE);
  }, []);

  const earlier = answers.filter(({ id }) => id !== asking.answer?.id);
  return { asking, ask, stop, conversationId, earlier, beginAnew };
}
