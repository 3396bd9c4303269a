import { Alert, Stack, Title } from '@mantine/core';
import { IconCircleCheck } from '@tabler/icons-react';
import { plural } from '../../parts/format';
import { Note, To } from '../../parts/words';
import { Ingest } from '../knowledge/ingest';

/** Where the first files go when nobody has made a collection yet. */
const FIRST_COLLECTION = 'documents';

/** The way from nothing to an answer: files dropped right where the question is asked. */
export function FirstDocuments({ documents, onDone }: { documents: number; onDone: () => void }) {
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
      <Ingest collection={FIRST_COLLECTION} create onDone={onDone} />
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
