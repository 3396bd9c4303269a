import { Button, Checkbox, Group, NumberInput, Paper, Select, Stack, Text, TextInput, Title } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { useMutation, useQuery } from 'urql';
import { useLocation, useSearchParams } from 'wouter';
import {
  CreateExperimentInConsoleDocument,
  ExperimentPlannedDocument,
  ExperimentScopeDocument,
  type ExperimentMetric,
} from '../../generated/operations';
import { ErrorState } from '../../parts/states';
import { WaitingButton } from '../../parts/waiting-button';
import { armOf } from './arm';
import { ArmFields } from './arm-fields';
import { METRIC_NAMES, RATES } from './names';
import { experimentPath } from './paths';

const METRICS = Object.entries(METRIC_NAMES).map(([value, label]) => ({ value, label }));
const isMetric = (value: string | null): value is ExperimentMetric => value !== null && value in METRIC_NAMES;

/** What size a test needs, told while it is planned. */
function Sample({ metric, adapter, effect }: { metric: ExperimentMetric; adapter: string | null; effect: number }) {
  const input = { metric, adapter, effect };
  const [{ data, error }] = useQuery({ query: ExperimentPlannedDocument, variables: { input }, pause: !(effect > 0) });
  if (error) return <ErrorState error={error} />;
  return (
    <Text size="sm" c="dimmed" data-testid="experiment-sample">
      {data?.planExperiment.sentence ?? ' '}
    </Text>
  );
}

/** Plans a test of one change beside production. The form stands in the address. */
export function CreateExperiment() {
  const [, go] = useLocation();
  const [params, setParams] = useSearchParams();
  const [{ data: scope }] = useQuery({ query: ExperimentScopeDocument });
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  const [reason, setReason] = useState('');
  const [{ error, fetching }, create] = useMutation(CreateExperimentInConsoleDocument);
  const setAll = (fields: Record<string, string>) =>
    setParams(
      (before) => {
        const next = new URLSearchParams(before);
        for (const [name, value] of Object.entries(fields))
          if (value === '') next.delete(name);
          else next.set(name, value);
        return next;
      },
      { replace: true },
    );
  const set = (name: string, value: string) => setAll({ [name]: value });
  const { adapter, arm } = armOf(params);
  const given = params.get('primary');
  const metric = isMetric(given) ? given : 'FEEDBACK';
  const scale = RATES.has(metric) ? 100 : 1;
  const effect = Number(params.get('effect') ?? (RATES.has(metric) ? 5 : '')) / scale;
  const size = params.get('size') ?? '';
  const sticky = params.get('sticky') === 'yes';
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (arm === null) return;
    const others = (['FEEDBACK', 'FAILURE', 'ABSTENTION', 'LATENCY'] as const).filter((each) => each !== metric);
    const input = {
      name: `${arm.name} beside production`,
      adapter,
      reason,
      idempotencyKey,
      sticky,
      arms: [{ name: 'production' }, arm],
      metrics: [{ metric, primary: true }, ...others.map((each) => ({ metric: each }))],
      ...(size !== '' && { plannedSize: Number(size) }),
      ...(effect > 0 && { effect }),
    };
    const { data } = await create({ input });
    if (data) go(experimentPath(data.createExperiment.experiment.id));
  };
  return (
    <Paper mb="lg">
      <Title order={2} size="h3" mb="xs">
        Plan a test
      </Title>
      <form onSubmit={(event) => void submit(event)}>
        <Stack gap="sm">
          <Text size="sm" c="dimmed">
            The first arm answers as production does; the second as you change it here.
          </Text>
          <ArmFields params={params} scope={scope} set={setAll} />
          <Group align="flex-end">
            <Select
              label="What decides"
              data={METRICS}
              value={metric}
              allowDeselect={false}
              onChange={(value) => set('primary', value ?? '')}
              miw={260}
            />
            <NumberInput
              label={`Difference that would matter${RATES.has(metric) ? ' (points)' : ''}`}
              value={effect > 0 ? effect * scale : ''}
              min={0}
              onChange={(value) => set('effect', String(value))}
              w={320}
            />
            <NumberInput
              label="Ends after outcomes"
              value={size === '' ? '' : Number(size)}
              min={1}
              allowDecimal={false}
              onChange={(value) => set('size', String(value))}
              w={170}
            />
          </Group>
          <Sample metric={metric} adapter={adapter} effect={effect} />
          <Checkbox
            label="Only questions that name a unit take part"
            checked={sticky}
            onChange={(event) => set('sticky', event.currentTarget.checked ? 'yes' : '')}
          />
          <Group align="flex-end">
            <TextInput
              label="Why"
              required
              maxLength={1_000}
              miw={280}
              value={reason}
              onChange={(event) => setReason(event.currentTarget.value)}
            />
            <WaitingButton type="submit" disabled={arm === null} waits={fetching ? 'Writing it down…' : null}>
              Plan it
            </WaitingButton>
            {params.size > 0 && (
              <Button variant="subtle" onClick={() => setParams(new URLSearchParams(), { replace: true })}>
                Clear
              </Button>
            )}
          </Group>
        </Stack>
        {error && <ErrorState error={error} />}
      </form>
    </Paper>
  );
}
