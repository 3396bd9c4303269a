import { Title } from '@mantine/core';
import { IconScale } from '@tabler/icons-react';
import { ComparisonListDocument } from '../../generated/operations';
import { dateTime, rowsOf } from '../../parts/format';
import { Listed } from '../../parts/loaded';
import { EmptyState, Entry, PageHeader } from '../../parts/page';
import { pageOf } from '../../parts/page-of';
import { comparisonPath } from '../../parts/paths';
import { RunBadge } from '../../parts/runs';
import { usePages } from '../../parts/use-pages';
import { ComparisonView } from './comparison-view';
import { StartComparison } from './start-comparison';

function Overview() {
  const pages = usePages(ComparisonListDocument, {}, ({ runs }) => runs);
  return (
    <>
      <PageHeader title="Compare">
        Retrieval, an adapter or both? Every strategy answers the same labelled rows, and what each is worth and costs
        is measured.
      </PageHeader>
      <StartComparison />
      {pages.edges.length > 0 && (
        <Title order={2} mb="sm">
          Earlier comparisons
        </Title>
      )}
      <Listed
        pages={pages}
        what="the comparisons"
        more="Show older comparisons"
        empty={
          <EmptyState icon={IconScale} title="Nothing was compared yet">
            Choose a dataset above. The outcome says in one sentence which strategy to use, and how sure that is.
          </EmptyState>
        }
      >
        {(run) =>
          run.__typename === 'StrategyComparisonRun' && (
            <Entry
              href={comparisonPath(run.id)}
              title={run.comparedVersion ? rowsOf(run.comparedVersion) : 'deleted rows'}
              badge={<RunBadge status={run.status} />}
              when={dateTime(run.createdAt)}
            >
              {run.report?.sentence ?? run.error?.message}
            </Entry>
          )
        }
      </Listed>
    </>
  );
}

/** Comparisons, newest first, each with its sentence. */
export default pageOf(Overview, { '/compare/:id': ComparisonView });
