import { Button, Group, SimpleGrid, Stack } from '@mantine/core';
import { useEffect, useState } from 'react';
import { Provider } from 'urql';
import { uncached } from '../../client';
import { FilterField, OneOf } from '../../parts/form';
import { Choice, PageHeader } from '../../parts/page';
import { AlertRules } from './alert-rules';
import { Alerts } from './alerts';
import { Drift } from './drift';
import { ProductionQuality } from './quality';
import { SeriesChart, type Shown } from './series-chart';
import { FILTERS, SPANS, SPLITS, useView, type View } from './view';

const CHARTS: readonly Shown[] = [
  { metric: 'VOLUME', title: 'Answers', unit: 'answers', empty: 0 },
  { metric: 'LATENCY', title: 'Latency', unit: 'ms', percentile: true },
  { metric: 'ERROR_RATE', title: 'Failures', unit: '%' },
  { metric: 'ABSTENTION_RATE', title: 'Abstentions', unit: '%' },
  { metric: 'ROUTE_MIX', title: 'Routes', unit: '%', shares: true },
  { metric: 'CONFIDENCE', title: 'Confidence', unit: '%' },
  { metric: 'RETRIEVAL_SCORE', title: 'Retrieval score', unit: 'score' },
  { metric: 'GENERATED_TOKENS', title: 'Generated tokens', unit: 'tokens' },
  { metric: 'COST', title: 'Compute', unit: 'ms', percentile: true },
  { metric: 'FEEDBACK', title: 'Feedback', unit: 'score' },
  { metric: 'ACCURACY', title: 'Right answers', unit: '%' },
  { metric: 'CALIBRATION_ERROR', title: 'Calibration error', unit: '%' },
];

/** The time that the page shows, in ms: it moves with the clock while somebody looks. */
function useNow({ everyMs }: View['span']): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') setNow(Date.now());
    }, everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

export default function MonitoringPage() {
  const [view, change] = useView();
  const now = useNow(view.span);
  const narrowed = FILTERS.filter((name) => view.where[name] !== undefined);
  return (
    <>
      <PageHeader title="Monitoring">How answers are over time, and what is otherwise than it should be.</PageHeader>
      <Stack>
        <Alerts />
        <Group align="flex-end" gap="sm">
          <Choice
            label="Time"
            mb={0}
            data={SPANS.map(({ value, label }) => ({ value, label }))}
            value={view.span.value}
            onChange={(span) => change({ span })}
          />
          <OneOf
            label="Split by"
            data={SPLITS}
            value={view.by ?? 'NONE'}
            onChange={(split) => change({ by: split === 'NONE' ? null : split })}
          />
          {(['adapter', 'collection', 'model'] as const).map((name) => (
            <FilterField
              key={name}
              label={`Only ${name}`}
              placeholder={name === 'adapter' ? 'any, e.g. routing@3' : 'any'}
              value={view.where[name] ?? null}
              onNarrow={(value) => change({ [name]: value })}
            />
          ))}
          {narrowed.length > 0 && (
            <Button variant="default" onClick={() => change(Object.fromEntries(FILTERS.map((name) => [name, null])))}>
              Show all answers
            </Button>
          )}
        </Group>
        <Provider value={uncached}>
          {narrowed.every((name) => name === 'adapter') && <ProductionQuality view={view} now={now} />}
          <SimpleGrid cols={{ base: 1, md: 2 }}>
            {CHARTS.map((chart) => (
              <SeriesChart key={chart.metric} view={view} shown={chart} now={now} />
            ))}
          </SimpleGrid>
        </Provider>
        <Drift />
        <AlertRules />
      </Stack>
    </>
  );
}
