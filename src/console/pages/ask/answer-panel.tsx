import { Alert, Badge, Button, Paper, Stack, Text, Title } from '@mantine/core';
import { IconCircleCheck, IconMessageQuestion } from '@tabler/icons-react';
import { useQuery } from 'urql';
import { AnswersDocument } from '../../generated/operations';
import type { Choices } from '../../parts/choices';
import type { Place } from '../../parts/document/document-place';
import { plural } from '../../parts/format';
import { EmptyState, ErrorState, Note, To } from '../../parts/page';
import { Ingest, useIngestion, type Ingestion } from '../knowledge/ingest';
import { AnswerView } from './answer-view';
import type { Asking } from './use-ask';

/** Where the first files go when nobody has made a collection yet. */
const FIRST_COLLECTION = 'documents';

/** The first files, of the page: they are followed to their end whatever its panels show. */
export const useFirstDocuments = ({ again }: Choices): Ingestion =>
  useIngestion(FIRST_COLLECTION, () => again({ requestPolicy: 'network-only' }), true);

/** The way from nothing to an answer: files dropped right where the question is asked. */
function FirstDocuments({ documents, ingestion }: { documents: number; ingestion: Ingestion }) {
  return (
    <Stack gap="sm">
      <div>
        <Title order={2} size="h3">
          Begin with a document of your own
        </Title>
        <Note>
          It is read on this machine, and answers quote it word for word. Without documents the base model answers from
          what it knows.
        </Note>
      </div>
      {documents > 0 && (
        <Alert color="teal" icon={<IconCircleCheck />} title={`${plural(documents, 'document')} can be asked about`}>
          Type your question above.
        </Alert>
      )}
      <Ingest ingestion={ingestion} />
      <Note>
        They land in a collection named “{FIRST_COLLECTION}”.{' '}
        <To href="/knowledge" underline="always">
          Make collections of your own
        </To>{' '}
        to keep subjects apart.
      </Note>
    </Stack>
  );
}

/** Questions that were answered here before, to begin with. */
function Examples({ onPick }: { onPick: (question: string) => void }) {
  const [{ data }] = useQuery({ query: AnswersDocument, variables: { first: 20 } });
  const questions = (data?.answers.edges ?? []).flatMap(({ node }) => (node.abstained ? [] : [node.question]));
  return (
    <Stack gap="xs" align="center">
      {[...new Set(questions)].slice(0, 3).map((question) => (
        <Button key={question} variant="default" size="compact-sm" maw="100%" onClick={() => onPick(question)}>
          {question}
        </Button>
      ))}
    </Stack>
  );
}

interface IdleProps {
  scope: Choices;
  firstDocuments: Ingestion;
  onPick: (question: string) => void;
}

function Idle({ scope: { loaded, collections }, firstDocuments, onPick }: IdleProps) {
  const documents = loaded ? collections.reduce((sum, { documentCount }) => sum + documentCount, 0) : undefined;
  if (documents === undefined) return null;
  // What became of the first files stays to be read when some of them are there.
  if (documents === 0 || firstDocuments.files.length > 0)
    return <FirstDocuments documents={documents} ingestion={firstDocuments} />;
  return (
    <EmptyState icon={IconMessageQuestion} title="Ask a question above" action={<Examples onPick={onPick} />}>
      {plural(documents, 'document')} can be asked about. The answer appears here as it is written, with the sentences
      it rests on.
    </EmptyState>
  );
}

/** The answer to the question that was asked last, from the first word to everything that is known of it. */
export function AnswerPanel(props: {
  asking: Asking;
  scope: Choices;
  firstDocuments: Ingestion;
  onOpen: (place: Place) => void;
  onRetry: () => void;
  /** A question that was asked before is to be asked. */
  onPick: (question: string) => void;
}) {
  const { asking, scope, firstDocuments, onOpen, onRetry, onPick } = props;
  switch (asking.status) {
    case 'idle':
      return <Idle scope={scope} firstDocuments={firstDocuments} onPick={onPick} />;
    case 'waiting':
    case 'writing':
      return (
        <Paper aria-live="polite">
          <Text size="lg" className="answer-text caret">
            {asking.text}
          </Text>
          <Note mt="xs">
            {asking.status === 'waiting'
              ? asking.step
              : 'Writing; the answer is checked against its evidence at the end.'}
          </Note>
        </Paper>
      );
    case 'stopped':
      return (
        <Paper>
          <Text className="answer-text">{asking.text}</Text>
          <Badge color="yellow" mt="xs">
            stopped
          </Badge>
        </Paper>
      );
    case 'failed':
      return <ErrorState error={asking.error} onRetry={onRetry} />;
    case 'done':
      return asking.answer && <AnswerView answer={asking.answer} onOpen={onOpen} />;
  }
}
