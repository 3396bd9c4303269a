import type { GenerateEvent } from '../../worker-protocol/index.js';
import { spend } from '../spending/index.js';

/**
 * The same events, each charged to whoever asks for it before it is given. A piece is a token or part of one: who cancels pays for what was
 * written until then, and the end settles what the pieces told too much or too little.
 */
export async function* charging(events: AsyncIterable<GenerateEvent>): AsyncGenerator<GenerateEvent, void, undefined> {
  let total = 0;
  for await (const event of events) {
    const tokens = tokensOf(event, total);
    total += tokens;
    spend(tokens);
    yield event;
  }
}

function tokensOf(event: GenerateEvent, total: number): number {
  if (event.type === 'done') return event.promptTokens + event.generatedTokens - total;
  return event.type === 'started' ? event.promptTokens : 1;
}
