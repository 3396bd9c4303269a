import { Button, Group, Modal, Paper, SimpleGrid, Stack, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconBooks, IconPlus } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { useMutation, useQuery } from 'urql';
import { Link, useLocation } from 'wouter';
import { CollectionListDocument, CreateCollectionInConsoleDocument } from '../../generated/operations';
import { plural, words } from '../../parts/format';
import { EmptyState, ErrorState, Loading, PageHeader } from '../../parts/states';
import { WaitingButton } from '../../parts/waiting-button';

const collectionPath = (name: string): string => `/knowledge/${encodeURIComponent(name)}`;

function NewCollection({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('');
  const [description, setDescription] = useState('');
  const [{ error, fetching }, create] = useMutation(CreateCollectionInConsoleDocument);
  const [, go] = useLocation();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const { data } = await create({ input: { name: name.trim(), description } });
    if (data) go(collectionPath(data.createCollection.collection.name));
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack>
        <TextInput
          label="Name"
          description="1 to 63 letters, digits, “.”, “_” or “-”"
          required
          data-autofocus
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <TextInput
          label="What it holds"
          value={description}
          onChange={(event) => setDescription(event.currentTarget.value)}
        />
        {error && <ErrorState error={error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <WaitingButton type="submit" waits={fetching ? 'Creating…' : null} disabled={name.trim() === ''}>
            Create
          </WaitingButton>
        </Group>
      </Stack>
    </form>
  );
}

export function CollectionList() {
  const [{ data, error }, again] = useQuery({ query: CollectionListDocument });
  const [creating, { open, close }] = useDisclosure();
  const button = (
    <Button leftSection={<IconPlus size={16} />} onClick={open}>
      New collection
    </Button>
  );
  const collections = data?.collections.edges.map(({ node }) => node);
  return (
    <>
      <PageHeader title="Knowledge" actions={collections?.length ? button : undefined}>
        Collections of documents that answers are read from.
      </PageHeader>
      {error && !data && <ErrorState error={error} onRetry={again} />}
      {!error && !data && <Loading label="Loading the collections" />}
      {collections?.length === 0 && (
        <EmptyState icon={IconBooks} title="No collection yet" action={button}>
          Make one, drop your PDF, Word, Markdown, HTML or text files into it, and ask.
        </EmptyState>
      )}
      <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
        {collections?.map(({ id, name, description, documentCount, chunkCount, language }) => (
          <Paper key={id} component={Link} href={collectionPath(name)} c="inherit" td="none" className="card-link">
            <Text fw={600} truncate>
              {name}
            </Text>
            {description && (
              <Text size="sm" c="dimmed" lineClamp={2}>
                {description}
              </Text>
            )}
            <Text size="sm" mt={4}>
              {plural(documentCount, 'document')} · {plural(chunkCount, 'passage')} · {words(language)}
            </Text>
          </Paper>
        ))}
      </SimpleGrid>
      <Modal opened={creating} onClose={close} title={<Text fw={600}>New collection</Text>}>
        <NewCollection onClose={close} />
      </Modal>
    </>
  );
}
