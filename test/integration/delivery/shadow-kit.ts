import type { Answer, AskInput, AskService } from '../../../src/answer/ask/index.js';
import { newId } from '../../../src/kernel/ids.js';
import type { ShadowRow } from '../../../src/ship/delivery/shadow/shadow.js';
import type { StartShadow } from '../../../src/ship/delivery/shadow/shadow.js';
import { eventually } from '../../support/eventually.js';
import { finishedAnswer, recordAnswers, type WishedAnswer } from '../../support/recorded-answers.js';
import { WORKSPACE, type DeliveryKit } from './delivery-kit.js';

/** A candidate that answers as the test says, by the question. */
export type Behaves = (input: AskInput, signal: AbortSignal) => Promise<WishedAnswer> | WishedAnswer;

/** Who answers unseen, without a model; keeps what it was asked. */
export class FakeCandidate implements Pick<AskService, 'tryOut'> {
  readonly asked: AskInput[] = [];

  constructor(public behaves: Behaves) {}

  async tryOut(_: unknown, input: AskInput, signal: AbortSignal): Promise<Answer> {
    this.asked.push(input);
    const said = finishedAnswer(await this.behaves(input, signal));
    const told = { id: newId(), workspaceId: WORKSPACE, requestId: newId(), question: input.question };
    return { ...said, ...told, conversationId: null, assignment: null, createdAt: new Date() };
  }
}

/** What the production version of an adapter answered. */
export function servedBy(version: { id: string; version: number }, name: string, said: WishedAnswer): WishedAnswer {
  const sha256 = '1'.repeat(64);
  const adapter = { versionId: version.id, name, version: version.version, sha256, scale: 1 };
  return { route: { strategy: 'ADAPTER', chosenBy: 'CALLER', candidates: [], reasons: [] }, ...said, adapter };
}

export const serve = (kit: DeliveryKit, answers: readonly WishedAnswer[]) =>
  recordAnswers(kit.database, WORKSPACE, answers);

export const shadowWish = (adapter: string, over: Partial<StartShadow> = {}): StartShadow => ({
  adapter,
  share: 1,
  mostPerHour: 3_600,
  leastAnswers: 1_000,
  by: 'op',
  reason: 'before users meet it',
  idempotencyKey: newId(),
  ...over,
});

export const shadowRow = (kit: DeliveryKit, id: string): Promise<ShadowRow> =>
  kit.database.prisma.shadow.findFirstOrThrow({ where: { id } });

/** Waits until a shadow is as wished. */
export const reaches = (
  kit: DeliveryKit,
  id: string,
  what: string,
  holds: (row: ShadowRow) => boolean,
  withinMs?: number,
): Promise<ShadowRow> =>
  eventually(
    what,
    async () => {
      const row = await shadowRow(kit, id);
      if (holds(row)) return row;
      throw new Error(`${row.status}, ${row.answered} answered, skipped ${JSON.stringify(row.skipped)}`);
    },
    withinMs,
  );
