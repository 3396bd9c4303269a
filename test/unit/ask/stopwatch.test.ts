import { Stopwatch } from '../../../src/answer/ask/stopwatch.js';
import { systemClock } from '../../../src/kernel/clock.js';
import { Metrics } from '../../../src/platform/telemetry/index.js';

describe('the stopwatch of an answer', () => {
  it('shows every stage that it times in the metrics', async () => {
    const metrics = new Metrics();
    await new Stopwatch(systemClock).time('retrieve', () => undefined);
    expect((await metrics.text()).text).toContain('graft_answer_stage_seconds_count{stage="retrieve"} 1');
  });
});
