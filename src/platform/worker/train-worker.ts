import { trainRole, type TrainOperations, type TrainSettings } from '../../worker-protocol/index.js';
import type { InteractiveGauge } from './interactive-gauge.js';
import type { RoleClient } from './worker-client.js';
import { WorkerSupervisor, type ProcessOptions } from './worker-supervisor.js';

/** Without work for this long the process ends and gives its memory back. */
const IDLE_MS = 60_000;
/** At the lowest priority, on a machine that others keep busy, its event loop may well turn only every ten seconds. */
const SILENCE_MS = 120_000;

interface TrainWorkerOptions extends ProcessOptions {
  worker?: TrainSettings;
  /** Whether questions are being answered; training stands aside meanwhile. */
  interactive?: InteractiveGauge;
}

/** What the rest of Graft sees of the train worker. */
export type TrainClient = RoleClient<TrainOperations> & Pick<TrainWorker, 'start' | 'stop'>;

/** The worker that trains: a process of its own at low priority, started at the first call, so that its crash never stops an answer. */
export class TrainWorker extends WorkerSupervisor<TrainOperations> {
  constructor({ worker, interactive, timings, ...options }: TrainWorkerOptions) {
    super({
      idleMs: IDLE_MS,
      ...options,
      timings: { silenceMs: SILENCE_MS, ...timings },
      role: trainRole,
      settings: () => Promise.resolve({ ...worker }),
    });
    interactive?.onChange((busy) => (busy ? this.hold() : this.resume()));
  }
}
