import {
  EndExperimentInConsoleDocument,
  PauseExperimentInConsoleDocument,
  ResumeExperimentInConsoleDocument,
  StartExperimentInConsoleDocument,
  StopExperimentInConsoleDocument,
  type ExperimentInListFragment,
  type ExperimentStatus,
} from '../../generated/operations';
import { OrderButtons, type Order } from '../../parts/order-buttons';

const START = {
  label: 'Start',
  title: 'Start the experiment',
  document: StartExperimentInConsoleDocument,
  tone: 'main',
} as const;
const PAUSE = {
  label: 'Pause',
  title: 'Pause: production answers everything',
  document: PauseExperimentInConsoleDocument,
};
const RESUME = { label: 'Go on', title: 'Let the experiment go on', document: ResumeExperimentInConsoleDocument };
const END = { label: 'End it', title: 'End it with what it says now', document: EndExperimentInConsoleDocument };
const STOP = {
  label: 'Give it up',
  title: 'Give the experiment up',
  document: StopExperimentInConsoleDocument,
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
