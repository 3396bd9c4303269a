import { AskStreamDocument, type AskStreamSubscription } from 'graft/operations';
import { useState, type FormEvent } from 'react';
import { useSubscription } from 'urql';

type Answer = Extract<AskStreamSubscription['askStream'], { __typename: 'AnswerReady' }>['answer'];

/** What is known of the answer so far: provisional text, then the answer itself. */
interface SoFar {
  text: string;
  answer: Answer | null;
}

/** Deltas add, a replacement starts again, and what counts is the answer at the end. */
function read(before: SoFar = { text: '', answer: null }, { askStream: event }: AskStreamSubscription): SoFar {
  switch (event.__typename) {
    case 'TextDelta':
      return { ...before, text: before.text + event.text };
    case 'TextReplaced':
      return { ...before, text: event.text };
    case 'AnswerReady':
      return { text: event.answer.text, answer: event.answer };
    case 'RouteChosen':
      return { text: '', answer: null };
    case 'PassagesRetrieved':
    case 'ConflictsFound':
      return before;
  }
}

/** The sentences that the answer rests on, and where they stand. */
function Citations({ answer }: { answer: Answer }) {
  return (
    <>
      <ol>
        {answer.citations.map(({ quote, documentName, headings, start }) => (
          <li key={`${documentName}:${start}`}>
            <blockquote>{quote}</blockquote>
            <cite>{[documentName, ...headings].join(' › ')}</cite>
          </li>
        ))}
      </ol>
      <small>
        {answer.route.strategy}: {answer.route.reasons.map(({ sentence }) => sentence).join(' ')}
      </small>
    </>
  );
}

export function Ask() {
  const [typed, setTyped] = useState('');
  const [question, setQuestion] = useState<string | null>(null);
  const [{ data, error, fetching }] = useSubscription(
    { query: AskStreamDocument, variables: { input: { question: question ?? '' } }, pause: question === null },
    read,
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setQuestion(typed);
  };
  return (
    <main>
      <h1>Ask Graft</h1>
      <form onSubmit={submit}>
        <label>
          Question <input value={typed} onChange={(event) => setTyped(event.currentTarget.value)} />
        </label>
        <button disabled={typed.trim() === ''}>Ask</button>
        {fetching && question !== null && (
          <button type="button" onClick={() => setQuestion(null)}>
            Stop
          </button>
        )}
      </form>
      {error && <p role="alert">{error.message}</p>}
      <p aria-live="polite">{data?.text}</p>
      {data?.answer && <Citations answer={data.answer} />}
    </main>
  );
}
