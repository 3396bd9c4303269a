import { idempotencyKey } from '../../kit/graphql/index.js';
import { checkedText } from '../../kernel/text.js';
import { string } from '../../kernel/record.js';

/** What callers say of who wants something, and why, in every input. */
export const saidBy = {
  reason: string('Why, for the record; 1 to 1,000 characters.'),
  by: string('Who wants it, for the record; 1 to 200 characters; by default the caller.').nullish(),
};

/** The same of what is made under a key. */
export const saidOnce = { ...saidBy, idempotencyKey };

/** UTF-16 units. */
const MAX_REASON = 1_000;
const MAX_ACTOR = 200;

/** Who wants something that changes what users get; it stands in the record of what was decided. @throws BAD_USER_INPUT */
export const checkedActor = (by: string): string => checkedText(by, 'input.by', MAX_ACTOR);

/** Why. @throws BAD_USER_INPUT */
export const checkedReason = (reason: string, field = 'input.reason'): string => checkedText(reason, field, MAX_REASON);

/** Both of them. @throws BAD_USER_INPUT */
export const checkedWho = ({ by, reason }: { by: string; reason: string }): { by: string; reason: string } => ({
  by: checkedActor(by),
  reason: checkedReason(reason),
});
