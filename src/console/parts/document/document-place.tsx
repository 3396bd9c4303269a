import { Drawer, Text } from '@mantine/core';
import { IconFileOff } from '@tabler/icons-react';
import { useEffect, useRef } from 'react';
import { useQuery } from 'urql';
import { DocumentPlaceDocument } from '../../generated/operations';
import { count } from '../format';
import { EmptyState, ErrorState, Loading, Note } from '../page';

/** A stretch of a document's text: UTF-16 offsets. */
export interface Place {
  documentId: string;
  documentName: string;
  start: number;
  end: number;
}

/** Characters shown on either side of the place: a document may have five million. */
const AROUND = 20_000;

function PlacedText({ text, start, end }: { text: string; start: number; end: number }) {
  const mark = useRef<HTMLElement>(null);
  useEffect(() => mark.current?.scrollIntoView({ block: 'center' }), [start, end, text]);
  const from = Math.max(0, start - AROUND);
  const to = Math.min(text.length, end + AROUND);
  return (
    <>
      {from > 0 && <Note mb="sm">{count(from)} characters before this are not shown.</Note>}
      <div className="document-text">
        {text.slice(from, start)}
        <mark ref={mark}>{text.slice(start, end)}</mark>
        {text.slice(end, to)}
      </div>
      {to < text.length && <Note mt="sm">{count(text.length - to)} characters after this are not shown.</Note>}
    </>
  );
}

function PlacedDocument({ place }: { place: Place }) {
  const [{ data, error, fetching }, refetch] = useQuery({
    query: DocumentPlaceDocument,
    variables: { id: place.documentId },
    requestPolicy: 'cache-first',
  });
  if (error) return <ErrorState error={error} onRetry={refetch} />;
  if (fetching && !data) return <Loading label="Loading the document" />;
  if (data?.node?.__typename !== 'Document')
    return (
      <EmptyState icon={IconFileOff} title="The document is gone">
        It was replaced or deleted since; the quotation stays with the answer.
      </EmptyState>
    );
  return <PlacedText text={data.node.text} start={place.start} end={place.end} />;
}

/** The document's own text in a drawer, scrolled to the place, which is marked. */
export function DocumentDrawer({ place, onClose }: { place: Place | null; onClose: () => void }) {
  return (
    <Drawer opened={place !== null} onClose={onClose} size="lg" title={<Text fw={600}>{place?.documentName}</Text>}>
      {place && <PlacedDocument place={place} />}
    </Drawer>
  );
}
