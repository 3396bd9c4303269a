import { GraftClientError, type GraftClient } from '../../src/client/graft-client.js';
import { AskAsUnitDocument, SubmitFeedbackDocument, type AskAsUnitQuery } from '../../src/client/operations/index.js';
import { eventually } from './eventually.js';
import { ADAPTER, message } from './proven-versions.js';

const AT_ONCE = 4;
/** A gateway that was killed is replaced by another, or comes back. */
const WAIT_MS = 240_000;

type Answer = AskAsUnitQuery['ask'];

/** People who ask, each once, through whatever gateway is there, and say of their answer whether it is right. */
export class Users {
  #asked = 0;

  /** @param gateways those that answer, to which they go in turn */
  constructor(private readonly gateways: () => readonly GraftClient[]) {}

  /** So many more of them. @returns their answers */
  async ask(many: number): Promise<Answer[]> {
    const answers: Answer[] = [];
    let left = many;
    const one = async () => {
      while (left-- > 0) answers.push(await this.#one(this.#asked++));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
    return answers;
  }

  /** They come until it holds. */
  async until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
    await eventually(
      what,
      async () => {
        try {
          if (await holds()) return true;
        } finally {
          await this.ask(2 * AT_ONCE);
        }
        return false;
      },
      WAIT_MS,
    );
  }

  async #one(n: number): Promise<Answer> {
    const { question, right } = message(n);
    const unit = `user ${n}`;
    let tried = n;
    // What was cut off by a kill is asked again, as people do.
    const client = () => {
      const gateways = this.gateways();
      return gateways[tried++ % gateways.length]!;
    };
    const answer = await unbroken(async () => {
      const { ask } = await client().request(AskAsUnitDocument, { question, adapter: ADAPTER, unit });
      return ask;
    });
    await unbroken(() =>
      client().request(SubmitFeedbackDocument, {
        input: { answer: answer.id, score: answer.text === right ? 1 : -1, source: { kind: 'HUMAN', name: unit } },
      }),
    );
    return answer;
  }
}

/** Tries again where nobody listened, or the connection broke; what a gateway says is final. */
async function unbroken<T extends object>(request: () => Promise<T>): Promise<T> {
  const outcome = await eventually(
    'a gateway answers',
    () =>
      request().then(
        (value) => ({ value }),
        (error: unknown) => (error instanceof GraftClientError && error.code === 'UNREACHABLE' ? null : { error }),
      ),
    WAIT_MS,
  );
  if ('error' in outcome) throw outcome.error;
  return outcome.value;
}
