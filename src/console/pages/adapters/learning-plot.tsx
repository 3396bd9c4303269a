import { Paper, Select } from '@mantine/core';
import { useMemo, useState } from 'react';
import { useQuery } from 'urql';
import { LearningOfVersionsDocument } from '../../generated/operations';
import { Scatter } from '../../parts/charts/scatter';
import { capitalised } from '../../parts/format';
import { ErrorState } from '../../parts/states';
import { Note } from '../../parts/words';
import { comparableVersions, GROUPS, retentionBound } from './learning';

const MEASURED = 'perplexity, times the base model’s';

/** What each version has learned against what it has forgotten: up is better at the task, right is worse at everything else. */
export function LearningPlot({ adapter }: { adapter: string }) {
  const [{ data, error }, again] = useQuery({ query: LearningOfVersionsDocument, variables: { name: adapter } });
  const [chosen, setChosen] = useState<string | null>(null);
  const versions = useMemo(() => data?.adapter?.versions ?? [], [data]);
  const choices = useMemo(() => comparableVersions(versions), [versions]);
  const shown = choices.find(({ key }) => key === chosen) ?? choices[0];
  const x = useMemo(() => {
    const bound = retentionBound(versions);
    const guides = [{ at: 1, label: 'nothing forgotten' }];
    return { label: MEASURED, guides: bound === null ? guides : [...guides, { at: bound, label: 'the gate’s bound' }] };
  }, [versions]);
  const y = useMemo(() => ({ label: shown ? capitalised(shown.metric) : '' }), [shown]);
  if (error && !data) return <ErrorState error={error} onRetry={again} />;
  if (!data) return null;
  return (
    <Paper>
      {shown ? (
        <>
          <Scatter title="Learned against forgotten" points={shown.points} groups={GROUPS} x={x} y={y} />
          <Note mt="xs">
            Each point is a version: the higher, the better at its task; the farther right, the worse it has become at
            general text. Bars are 95 % intervals. {shown.label}.
          </Note>
        </>
      ) : (
        <Note>
          Once versions are evaluated, they are shown here: what each has learned against what it has forgotten.
        </Note>
      )}
      {choices.length > 1 && (
        <Select
          label="Measured on"
          mt="xs"
          maw={360}
          allowDeselect={false}
          data={choices.map(({ key, label }) => ({ value: key, label }))}
          value={shown?.key ?? null}
          onChange={setChosen}
        />
      )}
    </Paper>
  );
}
