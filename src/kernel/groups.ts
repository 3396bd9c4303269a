import { badInput } from './errors.js';
import { UNSEEN } from './text.js';

const MOST_GROUPS = 100;
const LONGEST_GROUP = 100;

/** Names of groups, each once in whatever Unicode form. @throws BAD_USER_INPUT for more than 100, and for one that can't be a name */
export function checkedGroups(groups: readonly string[], field: string): string[] {
  if (groups.length > MOST_GROUPS)
    throw badInput(field, `${field} must have at most ${MOST_GROUPS} groups, not ${groups.length}.`);
  const wrong = groups.some(
    (name) => name === '' || name.trim() !== name || name.length > LONGEST_GROUP || UNSEEN.test(name),
  );
  if (wrong)
    throw badInput(
      field,
      `Each of ${field} must have 1 to ${LONGEST_GROUP} characters, all of which can be seen, and no space around.`,
    );
  return [...new Set(groups.map((name) => name.normalize('NFC')))];
}
