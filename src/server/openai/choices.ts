import { checkedKey, MAX_KEY_CHARACTERS, type AskInput } from '../../answer/ask/index.js';
import { newId } from '../../kernel/ids.js';
import { SEEDS } from '../../worker-protocol/index.js';

/**
 * A question for each choice: the first is the request itself, the others differ in seed and request id. All are of one unit: answers to one user are no
 * independent draws, and one completion comes from one arm.
 * @throws BAD_USER_INPUT for a request id that leaves no room for a choice's number
 */
export function choiceInputs(n: number, asked: AskInput): AskInput[] {
  if (n === 1) return [asked];
  const requestId = checkedKey(asked.requestId, 'idempotency-key', MAX_KEY_CHARACTERS - 2);
  const input = { ...asked, unit: asked.unit ?? newId() };
  return Array.from({ length: n }, (_, index) => {
    const { generation } = input;
    const seed = generation?.seed ?? null;
    if (index === 0) return input;
    return {
      ...input,
      ...(requestId && { requestId: `${requestId}:${index}` }),
      ...(seed !== null && { generation: { ...generation, seed: (seed + index) % SEEDS } }),
    };
  });
}
