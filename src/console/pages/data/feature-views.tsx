import { Badge, Button, Code, Group, Paper, Stack, Text, TextInput, Title } from '@mantine/core';
import { useInputState } from '@mantine/hooks';
import { IconDatabase } from '@tabler/icons-react';
import { useState } from 'react';
import { useQuery } from 'urql';
import { FeaturesDocument, FeatureViewsShownDocument, type FeatureViewsShownQuery } from '../../generated/operations';
import { LineForm } from '../../parts/form';
import { dateTime } from '../../parts/format';
import { Loaded } from '../../parts/loaded';
import { EmptyState, ErrorState, Note } from '../../parts/page';

/** What the views say of one entity now, as a question at serving would be told. */
function Known({ entity, views }: { entity: string; views: string[] }) {
  const [{ data, error }] = useQuery({
    query: FeaturesDocument,
    variables: { entity, views },
    requestPolicy: 'network-only',
  });
  return (
    <>
      <ErrorState error={error} />
      {data?.features.map(({ view, row }) => (
        <div key={view}>
          <Text size="sm" mt="sm">
            <b>{view}</b> {row ? `since ${dateTime(row.eventTime)}` : 'knows nothing of it'}
          </Text>
          {row && <Code block>{JSON.stringify(row.values, null, 2)}</Code>}
        </div>
      ))}
    </>
  );
}

function Lookup({ views }: { views: string[] }) {
  const [entity, setEntity] = useInputState('');
  const [submittedEntity, setAsked] = useState('');
  return (
    <Paper>
      <LineForm onSubmit={() => setAsked(entity.trim())} action="Look up" disabled={entity.trim() === ''}>
        <TextInput
          label="What is known of an entity now"
          placeholder="customer:42"
          flex="1 1 200px"
          value={entity}
          onChange={setEntity}
        />
      </LineForm>
      {submittedEntity !== '' && <Known key={submittedEntity} entity={submittedEntity} views={views} />}
    </Paper>
  );
}

const NoView = () => (
  <EmptyState
    icon={IconDatabase}
    title="No feature view yet"
    action={
      <Button component="a" href="/playground/" variant="default">
        Open the Playground
      </Button>
    }
  >
    A feature view holds values of an entity over time, such as a customer’s plan, and says them with a question. Define
    one with <Code>defineFeatureView</Code>, fill it with <Code>importFeatures</Code>.
  </EmptyState>
);

function Views({ featureViews }: FeatureViewsShownQuery) {
  const views = featureViews.edges.map(({ node }) => node);
  if (views.length === 0) return <NoView />;
  return (
    <Stack>
      <Lookup views={views.slice(0, 20).map(({ name }) => name)} />
      {views.map(({ id, name, description, entity, ttlSeconds, fields }) => (
        <Paper key={id}>
          <Title order={2} size="h3">
            {name}
          </Title>
          <Note>
            {description && `${description} · `}of each {entity}
            {ttlSeconds !== null && ` · holds for ${ttlSeconds} s`}
          </Note>
          <Group gap="xs" mt="xs">
            {fields.map((field) => (
              <Badge key={field.name} color="gray">
                {field.name}: {field.type.toLowerCase()}
              </Badge>
            ))}
          </Group>
        </Paper>
      ))}
    </Stack>
  );
}

export function FeatureViews() {
  return (
    <Loaded shown={useQuery({ query: FeatureViewsShownDocument })} what="the feature views">
      {(data) => <Views {...data} />}
    </Loaded>
  );
}
