import { IconFlask } from '@tabler/icons-react';
import {
  ExperimentsShownDocument,
  type ExperimentInListFragment,
  type ExperimentStatus,
} from '../../generated/operations';
import { dateTime, plural } from '../../parts/format';
import { Listed } from '../../parts/loaded';
import { Choice, EmptyState, Entry, PageHeader } from '../../parts/page';
import { pageOf } from '../../parts/page-of';
import { experimentPath } from '../../parts/paths';
import { useAddress } from '../../parts/use-address';
import { usePages } from '../../parts/use-pages';
import { StatusBadge, VerdictBadge } from './badges';
import { CreateExperiment } from './create-experiment';
import { ExperimentView } from './experiment-view';

const STATUSES: { value: ExperimentStatus | 'ALL'; label: string }[] = [
  { value: 'ALL', label: 'All' },
  { value: 'DRAFT', label: 'Planned' },
  { value: 'RUNNING', label: 'Running' },
  { value: 'PAUSED', label: 'Paused' },
  { value: 'ENDED', label: 'Ended' },
  { value: 'STOPPED', label: 'Given up' },
];

function ExperimentLine({ experiment }: { experiment: ExperimentInListFragment }) {
  const { id, name, arms, answersCounted, createdAt, adapterName } = experiment;
  return (
    <Entry
      href={experimentPath(id)}
      title={name}
      badge={
        <>
          <StatusBadge status={experiment.status} />
          <VerdictBadge experiment={experiment} />
        </>
      }
      when={`${arms.map((arm) => arm.name).join(' · ')} — ${plural(answersCounted, 'answer')}${adapterName ? ` of ${adapterName}` : ''} — ${dateTime(createdAt)}`}
    />
  );
}

function Overview() {
  const [address, change] = useAddress();
  const statusFilter = STATUSES.find(({ value }) => value === address.get('status'))?.value ?? 'ALL';
  const status = statusFilter === 'ALL' ? null : statusFilter;
  const pages = usePages(ExperimentsShownDocument, { status }, ({ experiments }) => experiments);
  return (
    <>
      <PageHeader title="Experiments">
        Arms answer beside each other on the same traffic, until it is known which is better, or that none is. An
        experiment ships nothing by itself.
      </PageHeader>
      <CreateExperiment />
      <Choice
        label="Status"
        data={STATUSES}
        value={statusFilter}
        onChange={(value) => change({ status: value === 'ALL' ? null : value })}
      />
      <Listed
        pages={pages}
        what="the experiments"
        more="Show older experiments"
        empty={
          <EmptyState icon={IconFlask} title="No experiment here">
            “Is the new one really better, on our traffic?” is answered by a test of both beside each other.
          </EmptyState>
        }
      >
        {(experiment) => <ExperimentLine experiment={experiment} />}
      </Listed>
    </>
  );
}

export default pageOf(Overview, { '/experiments/:id': ExperimentView });
