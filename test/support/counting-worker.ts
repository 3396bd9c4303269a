import { setTimeout as sleep } from 'node:timers/promises';
import { describeTrainer } from '../../gpu-worker/hello.js';
import { Server } from '../../gpu-worker/server.js';
import { countingRole } from './counting-role.js';

process.on('disconnect', () => process.exit(0));
new Server(
  countingRole,
  {
    count: async ({ to, batchMs }, { chunks, progress, turn, pausing }) => {
      let counted = 0;
      while (counted < to && !pausing.aborted) {
        await turn();
        await sleep(batchMs);
        await chunks.send({ counted: ++counted });
        progress(counted / to, `${counted} of ${to}`);
      }
      return { counted, paused: counted < to };
    },
  },
  describeTrainer({ queue: 4 }, 'test'),
  () => ({ queued: 0, active: 0, models: [] }),
).listen();
