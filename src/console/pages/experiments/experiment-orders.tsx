import {
  EndExperimentDocument,
  PauseExperimentDocument,
  ResumeExperimentDocument,
  StartExperimentDocument,
  StopExperimentDocument,
  type ExperimentInListFragment,
  type ExperimentStatus,
} from '../../generated/operations';
import { OrderButtons, type Order } from '../../parts/order-buttons';

const START = {
  label: 'Start',
  title: 'Start the experiment',
  document: StartExperimentDocument,
  tone: 'main',
} as const;
const PAUSE = {
  label: 'Pause',
  title: 'Pause: production answers everything',
  document: PauseExperimentDocument,
};
const RESUME = { label: 'Go on', title: 'Let the experiment go on', document: ResumeExperimentDocument };
const END = { label: 'End it', title: 'End it with what it says now', document: EndExperimentDocument };
const STOP = {
  label: 'Give it up',
  title: 'Give the experiment up',
  document: StopExperimentDocument,
  tone: 'danger',
} as const;

const OFFERED: Record<ExperimentStatus, readonly Order<{ experiment: string }>[]> = {
  DRAFT: [START, STOP],
  RUNNING: [PAUSE, END, STOP],
  PAUSED: [RESUME, END, STOP],
  ENDED: [],
  STOPPED: [],
};

/** What a person can want of an experiment. */
export function ExperimentOrders({ experiment }: { experiment: ExperimentInListFragment }) {
  return <OrderButtons orders={OFFERED[experiment.status]} input={{ experiment: experiment.id }} />;
}
