import { Button, Checkbox, Group, NumberInput, Stack } from '@mantine/core';
import { useInputState } from '@mantine/hooks';
import { useQuery } from 'urql';
import { useLocation } from 'wouter';
import { CreateExperimentDocument, PlanExperimentDocument, type ExperimentMetric } from '../../generated/operations';
import { useChoices } from '../../parts/choices';
import { LineForm, OneOf, useOneKey, useSend, Why } from '../../parts/form';
import { ErrorState, Note, Section } from '../../parts/page';
import { experimentPath } from '../../parts/paths';
import { useAddress, type Change } from '../../parts/use-address';
import { armOf } from './arm';
import { ArmFields } from './arm-fields';
import { METRIC_NAMES, ownUnitOf, RATES } from './names';

const METRICS = Object.entries(METRIC_NAMES).map(([value, label]) => ({ value, label }));
const isMetric = (value: string | null): value is ExperimentMetric => value !== null && value in METRIC_NAMES;

/** What the address plans, besides the arm: what decides, from which difference on, and when it ends. */
function planOf(params: URLSearchParams) {
  const metricName = params.get('primary');
  const metric = isMetric(metricName) ? metricName : 'FEEDBACK';
  const limit = RATES.has(metric) ? null : Number(params.get('beyond')) || null;
  const isShare = RATES.has(metric) || limit !== null;
  const scale = isShare ? 100 : 1;
  const effect = Number(params.get('effect') ?? (isShare ? 5 : '')) / scale;
  return {
    metric,
    beyond: limit,
    isShare,
    scale,
    effect,
    size: params.get('size') ?? '',
    sticky: params.get('sticky') === 'yes',
  };
}

type Plan = ReturnType<typeof planOf>;

/** What size a test needs, told while it is planned. */
function Sample({ plan: { metric, beyond, effect }, adapter }: { plan: Plan; adapter: string | null }) {
  const input = { metric, beyond, adapter, effect };
  const [{ data, error }] = useQuery({ query: PlanExperimentDocument, variables: { input }, pause: !(effect > 0) });
  if (error) return <ErrorState error={error} />;
  return <Note data-testid="experiment-sample">{data?.planExperiment.sentence ?? ' '}</Note>;
}

const unitOf = (metric: ExperimentMetric): string => (ownUnitOf(metric) === '' ? '' : ` (${ownUnitOf(metric)})`);

/** What decides, and when it ends. */
function EndFields({ plan, set }: { plan: Plan; set: Change }) {
  const { metric, beyond, isShare, scale, effect, size } = plan;
  return (
    <Group align="flex-end">
      <OneOf
        label="What decides"
        data={METRICS}
        value={metric}
        onChange={(value) => set({ primary: value, beyond: null, effect: null })}
        miw={260}
      />
      {!RATES.has(metric) && (
        <NumberInput
          label={`Share of answers above${unitOf(metric)}`}
          placeholder="the mean is compared"
          value={beyond ?? ''}
          min={0}
          onChange={(value) => set({ beyond: String(value) || null, ...(beyond === null && { effect: null }) })}
          w={210}
        />
      )}
      <NumberInput
        label={`Difference that would matter${isShare ? ' (points)' : unitOf(metric)}`}
        value={effect > 0 ? effect * scale : ''}
        min={0}
        onChange={(value) => set({ effect: String(value) || null })}
        w={320}
      />
      <NumberInput
        label="Ends after outcomes"
        value={size === '' ? '' : Number(size)}
        min={1}
        allowDecimal={false}
        onChange={(value) => set({ size: String(value) || null })}
        w={170}
      />
    </Group>
  );
}

const metricsOf = ({ metric, beyond }: Plan) => [
  { metric, beyond, primary: true },
  ...(['FEEDBACK', 'FAILURE', 'ABSTENTION', 'LATENCY'] as const)
    .filter((secondaryMetric) => secondaryMetric !== metric)
    .map((secondaryMetric) => ({ metric: secondaryMetric })),
];

/** Plans a test of one change beside production. The form stands in the address. */
export function CreateExperiment() {
  const [, go] = useLocation();
  const [params, set, clear] = useAddress();
  const choices = useChoices();
  const idempotencyKey = useOneKey();
  const [reason, setReason] = useInputState('');
  const create = useSend(CreateExperimentDocument, (data) => go(experimentPath(data.createExperiment.experiment.id)));
  const { adapter, arm } = armOf(params);
  const plan = planOf(params);
  const { effect, size, sticky } = plan;
  const submit = () => {
    if (arm === null) return;
    return create.send({
      name: `${arm.name} beside production`,
      adapter,
      reason,
      idempotencyKey,
      sticky,
      arms: [{ name: 'production' }, arm],
      metrics: metricsOf(plan),
      ...(size !== '' && { plannedSize: Number(size) }),
      ...(effect > 0 && { effect }),
    });
  };
  return (
    <Section title="Plan a test" mb="lg">
      <Stack gap="sm">
        <Note>The first arm answers as production does; the second as you change it here.</Note>
        <ArmFields params={params} choices={choices} set={set} />
        <EndFields plan={plan} set={set} />
        <Sample plan={plan} adapter={adapter} />
        <Checkbox
          label="Only questions that name a unit take part"
          checked={sticky}
          onChange={(event) => set({ sticky: event.currentTarget.checked ? 'yes' : null })}
        />
        <LineForm
          sending={create}
          onSubmit={submit}
          action="Plan it"
          waits="Writing it down…"
          disabled={arm === null}
          beside={
            params.size > 0 && (
              <Button variant="subtle" onClick={clear}>
                Clear
              </Button>
            )
          }
        >
          <Why miw={280} value={reason} onChange={setReason} />
        </LineForm>
      </Stack>
    </Section>
  );
}
