import { SimpleGrid, Text, TextInput } from '@mantine/core';
import { useInputState } from '@mantine/hooks';
import { IconBooks } from '@tabler/icons-react';
import { useQuery } from 'urql';
import { useLocation } from 'wouter';
import { CollectionListDocument, CreateCollectionDocument } from '../../generated/operations';
import { Form, NameField, useCreating, useSend } from '../../parts/form';
import { plural, words } from '../../parts/format';
import { Loaded } from '../../parts/loaded';
import { Card, EmptyState, Note, PageHeader } from '../../parts/page';
import { collectionPath } from '../../parts/paths';

function NewCollection({ onClose }: { onClose: () => void }) {
  const [, go] = useLocation();
  const [name, setName] = useInputState('');
  const [description, setDescription] = useInputState('');
  const create = useSend(CreateCollectionDocument, ({ createCollection }) =>
    go(collectionPath(createCollection.collection.name)),
  );
  return (
    <Form
      sending={create}
      onSubmit={() => create.send({ name: name.trim(), description })}
      action="Create"
      waits="Creating…"
      disabled={name.trim() === ''}
      onCancel={onClose}
    >
      <NameField value={name} onChange={setName} />
      <TextInput label="What it holds" value={description} onChange={setDescription} />
    </Form>
  );
}

export function CollectionList() {
  const result = useQuery({ query: CollectionListDocument });
  const creating = useCreating('New collection', NewCollection);
  return (
    <>
      <PageHeader title="Knowledge" actions={result[0].data?.collections.edges.length ? creating.button : undefined}>
        Collections of documents that answers are read from.
      </PageHeader>
      <Loaded shown={result} what="the collections">
        {({ collections: { edges } }) => (
          <>
            {edges.length === 0 && (
              <EmptyState icon={IconBooks} title="No collection yet" action={creating.button}>
                Make one, drop your PDF, Word, Markdown, HTML or text files into it, and ask.
              </EmptyState>
            )}
            <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
              {edges.map(({ node: { id, name, description, documentCount, chunkCount, language } }) => (
                <Card key={id} href={collectionPath(name)}>
                  <Text fw={600} truncate>
                    {name}
                  </Text>
                  {description && <Note lineClamp={2}>{description}</Note>}
                  <Text size="sm" mt={4}>
                    {plural(documentCount, 'document')} · {plural(chunkCount, 'passage')} · {words(language)}
                  </Text>
                </Card>
              ))}
            </SimpleGrid>
          </>
        )}
      </Loaded>
      {creating.dialog}
    </>
  );
}
