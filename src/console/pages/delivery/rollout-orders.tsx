import {
  AbortRolloutDocument,
  AdvanceRolloutDocument,
  PauseRolloutDocument,
  ResumeRolloutDocument,
  type RolloutShownFragment,
} from '../../generated/operations';
import { OrderButtons, type Order } from '../../parts/order-buttons';

const PAUSE = { label: 'Pause', title: 'Pause the rollout', document: PauseRolloutDocument };
const RESUME = { label: 'Go on', title: 'Let the rollout go on', document: ResumeRolloutDocument };
const ADVANCE = { label: 'Next step', title: 'Go to the next step now', document: AdvanceRolloutDocument };
const ABORT = {
  label: 'End it',
  title: 'End the rollout: production stays',
  document: AbortRolloutDocument,
  tone: 'danger',
} as const;

const PAUSED: readonly Order<{ rollout: string }>[] = [RESUME, ABORT];
const RUNNING: readonly Order<{ rollout: string }>[] = [PAUSE, ADVANCE, ABORT];

/** What a person can want of a live rollout. */
export function RolloutOrders({ rollout }: { rollout: RolloutShownFragment }) {
  if (rollout.finishedAt !== null) return null;
  const orders = rollout.status === 'PAUSED' ? PAUSED : RUNNING;
  return <OrderButtons orders={orders} input={{ rollout: rollout.id }} />;
}
