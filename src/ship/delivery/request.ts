import { idempotencyKey } from '../../kit/graphql/index.js';
import { badInput } from '../../kernel/errors.js';
import { checkedText } from '../../kernel/text.js';
import { string } from '../../kernel/record.js';

/** What callers say of who wants something, and why, in every input. */
export const requestedBy = {
  reason: string('Why, for the record; 1 to 1,000 characters.'),
  by: string('Who wants it, for the record; 1 to 200 characters; by default the caller.').nullish(),
};

/** The same of what is made under a key. */
export const requestedOnce = { ...requestedBy, idempotencyKey };

/** UTF-16 units. */
const MAX_REASON = 1_000;
const MAX_ACTOR = 200;

/** Who wants something that changes what users get; it stands in the record of what was decided. @throws BAD_USER_INPUT */
export const checkedActor = (actor: string): string => checkedText(actor, 'input.by', MAX_ACTOR);

/** Why. @throws BAD_USER_INPUT */
export const checkedReason = (reason: string, field = 'input.reason'): string => checkedText(reason, field, MAX_REASON);

/** Both of them. @throws BAD_USER_INPUT */
export const checkedRequester = ({ by, reason }: { by: string; reason: string }): { by: string; reason: string } => ({
  by: checkedActor(by),
  reason: checkedReason(reason),
});

/** A number that a rule of its input allows. @throws BAD_USER_INPUT: `share must be above 0 and at most 1, not 2.` */
export function checkedNumber(value: number, field: string, isAllowed: boolean, rule: string): number {
  if (isAllowed) return value;
  throw badInput(field, `${field.slice(field.lastIndexOf('.') + 1)} must be ${rule}, not ${value}.`);
}

/** A share of what there is. @throws BAD_USER_INPUT */
export const checkedShare = (value: number, field: string): number =>
  checkedNumber(value, field, value > 0 && value <= 1, 'above 0 and at most 1');

/** A count. @throws BAD_USER_INPUT */
export const checkedCount = (value: number, field: string, minimum: number, maximum: number): number =>
  checkedNumber(
    value,
    field,
    Number.isInteger(value) && value >= minimum && value <= maximum,
    `a whole number from ${minimum} to ${maximum}`,
  );
