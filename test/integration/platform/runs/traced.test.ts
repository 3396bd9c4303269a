import type { RunRow } from '../../../../src/platform/runs/index.js';
import { NO_SPAN, type SpanOptions } from '../../../../src/platform/tracing/span.js';
import { inSpan, remoteSpan, traceBy } from '../../../../src/platform/tracing/index.js';
import { newRun, RunsKit } from './runs-kit.js';

const REQUEST = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('the trace of a run', () => {
  let kit: RunsKit;
  const started: { name: string; options: SpanOptions }[] = [];
  beforeAll(async () => {
    kit = await RunsKit.start();
    traceBy({
      text: false,
      start: (name, options) => (started.push({ name, options }), NO_SPAN),
      close: () => Promise.resolve(),
    });
  });
  afterAll(async () => {
    traceBy(null);
    await kit.dispose();
  });

  it('leads to the request that asked for it, and is no part of it', async () => {
    const queue = kit.queue(() => Promise.resolve());
    queue.start();
    const asked = await inSpan(remoteSpan(REQUEST)!, () => queue.ask(newRun()));
    const alone = await queue.ask(newRun());
    for (const run of [asked, alone]) await kit.reaches(run, 'SUCCEEDED');
    const of = ({ id }: RunRow) => {
      const { options } = started.find((span) => span.options.attributes?.['graft.run.id'] === id)!;
      return { parent: options.parent, links: options.links?.map(({ traceparent }) => traceparent) };
    };
    expect(of(asked)).toEqual({ parent: null, links: [REQUEST] });
    expect(of(alone)).toEqual({ parent: null, links: [] });
  });
});
