import {
  Alert,
  Badge,
  Button,
  Group,
  Paper,
  SegmentedControl,
  SimpleGrid,
  Stack,
  Text,
  TextInput,
} from '@mantine/core';
import { useInputState } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import { useQuery } from 'urql';
import { SearchDocument, type SearchQuery, type SearchMode } from '../../generated/operations';
import { ShareBar } from '../../parts/bars';
import type { Place } from '../../parts/document/document-place';
import { LineForm } from '../../parts/form';
import { duration, words } from '../../parts/format';
import { EmptyState, ErrorState, Loading, Note } from '../../parts/page';

type Hit = SearchQuery['search']['hits'][number];

const MODES: { value: SearchMode; label: string }[] = [
  { value: 'HYBRID', label: 'Both' },
  { value: 'DENSE', label: 'Meaning' },
  { value: 'LEXICAL', label: 'Words' },
];

const ranked = (value: number | null, rank: number | null): string =>
  value === null ? 'no candidate' : `${value.toFixed(3)}${rank === null ? '' : `, place ${rank}`}`;

function HitView(props: { hit: Hit; place: number; strongest: number; onOpen: (place: Place) => void }) {
  const { hit, place, strongest, onOpen } = props;
  const { chunk, document, scores, coverage } = hit;
  return (
    <Paper>
      <Group justify="space-between" mb="xs" wrap="nowrap">
        <Note truncate>
          {place}.{' '}
          {[
            document?.name ?? 'deleted document',
            ...(chunk.page === null ? [] : [`page ${chunk.page}`]),
            ...chunk.headings,
          ].join(' › ')}
        </Note>
        {document && (
          <Button
            size="compact-sm"
            variant="default"
            flex="none"
            aria-label={`Show hit ${place} in ${document.name}`}
            onClick={() =>
              onOpen({ documentId: document.id, documentName: document.name, start: chunk.start, end: chunk.end })
            }
          >
            Show
          </Button>
        )}
      </Group>
      <Text size="sm" lineClamp={4} mb="sm">
        {chunk.text}
      </Text>
      <SimpleGrid cols={{ base: 2, md: 4 }} spacing="sm">
        <ShareBar label="Together" value={scores.fused} text={scores.fused.toFixed(3)} />
        <ShareBar label="Meaning" value={scores.dense ?? 0} text={ranked(scores.dense, scores.denseRank)} />
        <ShareBar
          label="Words"
          value={(scores.lexical ?? 0) / strongest}
          text={ranked(scores.lexical, scores.lexicalRank)}
        />
        <ShareBar label="Query covered" value={coverage} text={`${Math.round(coverage * 100)} %`} />
      </SimpleGrid>
    </Paper>
  );
}

function Hits({ search, onOpen }: SearchQuery & { onOpen: (place: Place) => void }) {
  const { hits, degraded, timings } = search;
  const strongest = Math.max(1e-9, ...hits.map(({ scores }) => scores.lexical ?? 0));
  return (
    <>
      {degraded && (
        <Alert color="yellow" title={words(degraded)}>
          These hits are ranked by words alone.
        </Alert>
      )}
      <Group gap="xs">
        <Badge color="gray">{duration(timings.totalMs)} in all</Badge>
        <Badge color="gray">embedding {duration(timings.embedMs)}</Badge>
        <Badge color="gray">meaning {duration(timings.denseMs)}</Badge>
        <Badge color="gray">words {duration(timings.lexicalMs)}</Badge>
      </Group>
      {hits.length > 0 ? (
        <Note>
          Meaning is the cosine of the embeddings (dense), words the BM25 score (lexical); together they are weighted
          and scaled to 1. A place is the rank in that list alone; query covered is how much of its words the passage
          has.
        </Note>
      ) : (
        <EmptyState icon={IconSearch} title="Nothing was found">
          No passage of this collection has a word or a meaning in common with the query.
        </EmptyState>
      )}
      {hits.map((hit, index) => (
        <HitView key={hit.chunk.id} hit={hit} place={index + 1} strongest={strongest} onOpen={onOpen} />
      ))}
    </>
  );
}

/** What retrieval finds for a query, and how meaning and words ranked each passage. */
export function SearchBench({ collection, onOpen }: { collection: string; onOpen: (place: Place) => void }) {
  const [query, setQuery] = useInputState('');
  const [submittedQuery, setAsked] = useState('');
  const [mode, setMode] = useState<SearchMode>('HYBRID');
  const [{ data, error, fetching }, refetch] = useQuery({
    query: SearchDocument,
    variables: { input: { query: submittedQuery, collections: [collection], mode, limit: 10 } },
    pause: submittedQuery === '',
  });
  const search = () => {
    if (query.trim() === submittedQuery) refetch();
    setAsked(query.trim());
  };
  return (
    <Stack>
      <LineForm
        sending={{ fetching }}
        onSubmit={search}
        action="Search"
        waits="Searching…"
        disabled={query.trim() === ''}
        leftSection={<IconSearch size={16} />}
      >
        <TextInput label="Query" flex="1 1 220px" maxLength={2000} value={query} onChange={setQuery} />
        <SegmentedControl aria-label="What passages are ranked by" data={MODES} value={mode} onChange={setMode} />
      </LineForm>
      <ErrorState error={error} onRetry={refetch} />
      {submittedQuery === '' && (
        <EmptyState icon={IconSearch} title="Search without a model">
          See which passages a question finds, and what each score says.
        </EmptyState>
      )}
      {submittedQuery !== '' && fetching && !data && <Loading label="Searching" />}
      {data && <Hits search={data.search} onOpen={onOpen} />}
    </Stack>
  );
}
