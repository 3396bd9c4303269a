import { Button, Collapse, Group, NumberInput, Select, SimpleGrid, Stack, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useState, type FormEvent } from 'react';
import { useMutation, useQuery } from 'urql';
import { useLocation } from 'wouter';
import { StartTrainingInConsoleDocument, TrainableVersionsDocument } from '../../generated/operations';
import { plural } from '../../parts/format';
import { ErrorState } from '../../parts/states';
import { WaitingButton } from '../../parts/waiting-button';
import { Estimate } from './estimate';
import { FindRate } from './find-rate';

export const trainingPath = (id: string): string => `/training/${encodeURIComponent(id)}`;

/** What of the recipe a form may set; what is left empty comes from the preset of the task. */
const FIELDS = [
  { field: 'epochs', label: 'Passes over all rows', min: 0.01, max: 100, step: 1 },
  { field: 'learningRate', label: 'Learning rate', min: 0.000001, max: 0.1, step: 0.0005 },
  { field: 'rank', label: 'Rank', min: 1, max: 256, step: 8 },
  { field: 'batchExamples', label: 'Rows a step', min: 1, max: 256, step: 8 },
  { field: 'validationRows', label: 'Rows a validation', min: 0, max: 10_000, step: 100 },
  { field: 'seed', label: 'Seed', min: 0, max: 4_294_967_295, step: 1 },
] as const;

type Wanted = Partial<Record<(typeof FIELDS)[number]['field'], number>>;

export function StartTraining({ onClose }: { onClose: () => void }) {
  const [adapter, setAdapter] = useState('');
  const [version, setVersion] = useState<string | null>(null);
  const [parent, setParent] = useState<string | null>(null);
  const [wanted, setWanted] = useState<Wanted>({});
  const [shown, { toggle }] = useDisclosure();
  const [{ data, error: unread }] = useQuery({ query: TrainableVersionsDocument });
  const [{ error, fetching }, start] = useMutation(StartTrainingInConsoleDocument);
  // One key for one form: pressed twice, it is one run.
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  const [, go] = useLocation();
  const choices = (data?.datasets.edges ?? []).flatMap(({ node: { name, latestVersion } }) =>
    latestVersion?.usable && latestVersion.counts.train > 0
      ? [
          {
            value: latestVersion.id,
            label: `${name}, version ${latestVersion.version}: ${plural(latestVersion.counts.train, 'row')}`,
          },
        ]
      : [],
  );

  const task = data?.datasets.edges.find(({ node }) => node.latestVersion?.id === version)?.node.task;
  const parents = (data?.adapters.edges ?? []).flatMap(({ node }) =>
    node.task === task ? node.versions.map((each) => `${node.name}@${each.version}`) : [],
  );

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (version === null) return;
    const input = { adapter: adapter.trim(), datasetVersion: version, parent, idempotencyKey, recipe: wanted };
    const started = await start({ input });
    if (started.data) go(trainingPath(started.data.startTraining.run.id));
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack>
        <TextInput
          label="Adapter"
          description="A known name gets a new version; 1 to 63 letters, digits, “.”, “_” or “-”"
          required
          data-autofocus
          value={adapter}
          onChange={(event) => setAdapter(event.currentTarget.value)}
        />
        <Select
          label="Rows to learn"
          description={
            data && choices.length === 0
              ? 'No dataset has a usable version yet: bring rows in on the Data page.'
              : 'The newest usable version of each dataset'
          }
          required
          data={choices}
          value={version}
          onChange={(chosen) => {
            setVersion(chosen);
            setParent(null);
          }}
        />
        {parents.length > 0 && (
          <Select
            label="Goes on from"
            description="A version for the same task, whose shape is kept; left empty, it begins at the base model"
            clearable
            searchable
            data={parents}
            value={parent}
            onChange={setParent}
          />
        )}
        <Button
          variant="subtle"
          size="compact-sm"
          aria-expanded={shown}
          onClick={toggle}
          style={{ alignSelf: 'start' }}
        >
          {shown ? 'Hide the recipe' : 'Change the recipe'}
        </Button>
        <Collapse expanded={shown}>
          <Text size="xs" c="dimmed" mb="xs">
            What is left empty comes from the preset of the task.
          </Text>
          <SimpleGrid cols={2} spacing="sm" mb="sm">
            {FIELDS.map(({ field, label, min, max, step }) => (
              <NumberInput
                key={field}
                label={label}
                min={min}
                max={max}
                step={step}
                value={wanted[field] ?? ''}
                onChange={(value) =>
                  setWanted(({ [field]: _before, ...rest }) =>
                    value === '' ? rest : { ...rest, [field]: Number(value) },
                  )
                }
              />
            ))}
          </SimpleGrid>
          {version !== null && (
            <FindRate
              key={version}
              version={version}
              recipe={wanted}
              onFound={(learningRate) => setWanted((before) => ({ ...before, learningRate }))}
            />
          )}
        </Collapse>
        {version !== null && <Estimate version={version} recipe={wanted} />}
        {(error ?? unread) && <ErrorState error={error ?? unread} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <WaitingButton
            type="submit"
            waits={fetching ? 'Checking memory and rows…' : null}
            disabled={adapter.trim() === '' || version === null}
          >
            Start training
          </WaitingButton>
        </Group>
      </Stack>
    </form>
  );
}
