import { disguised } from './disguised.js';
import { ANSWER_LABEL, isLabelled, isRow } from './questions.js';

/** What of a sentence's surroundings tells whether its form is honest. */
interface Form {
  /** Whether it follows a question, as in a list of questions and answers. */
  afterQuestion: boolean;
  /** Who speaks in its passage. */
  roles: Roles;
}

/**
 * Whether a sentence speaks to a model instead of about its subject: it instructs, or it imitates the form of an answer or of a
 * conversation. Documents are strangers' texts, and such a sentence matches any question that its author thought of.
 */
export function isPlanted(text: string, { afterQuestion, roles }: Form): boolean {
  return disguised(text).some(
    (form) =>
      (!afterQuestion && (ANSWER_LABEL.test(form) || FINAL_ANSWER.test(form))) ||
      speaks(form, roles) ||
      INSTRUCTIONS.some((pattern) => pattern.test(form)),
  );
}

const FINAL_ANSWER = /^\W{0,4}final answer\W{0,2}:/iu;

/**
 * How a passage names the roles of a conversation with a model. Contracts define their user, and tables have columns for one; a conversation has two
 * roles, and a prompt stands among no definitions.
 */
interface Roles {
  conversation: boolean;
  definitions: boolean;
}

const ROLE = /^\W{0,4}(system|assistant|user)\W{0,2}:/iu;
const NAMED = /^\W{0,4}\p{L}[^:;.!?]{0,40}:\s/u;

/** Who speaks in a passage of these sentences. */
export function rolesOf(sentences: readonly { text: string }[]): Roles {
  const lines = sentences.filter(({ text }) => !isRow(text)).flatMap(({ text }) => disguised(text));
  const roleNames = new Set(lines.map((line) => ROLE.exec(line)?.[1]?.toLowerCase()));
  return {
    conversation: roleNames.has('assistant') && (roleNames.has('user') || roleNames.has('system')),
    definitions: lines.some((line) => NAMED.test(line) && !ROLE.test(line) && !isLabelled(line)),
  };
}

function speaks(form: string, { conversation, definitions }: Roles): boolean {
  const role = ROLE.exec(form)?.[1]?.toLowerCase();
  if (role === undefined || isRow(form)) return false;
  return conversation || (role === 'system' && !definitions);
}

/** All repetitions are bounded: a hostile sentence must not make them slow. */
const INSTRUCTIONS: readonly RegExp[] = [
  /(?<!(?:\bnot|\bnever|\bcannot|n['’]t)\s{1,3})\b(ignore|disregard|forget|override)\b.{0,30}\b((previous|prior|above|earlier|preceding|all|any|other|your)\b.{0,30}\b(instructions?|prompts?|passages)|(previous|prior|above|earlier|preceding)\b.{0,30}\b(rules|context|documents|sources))\b/iu,
  /\b(ignora|olvida)\b.{0,40}\binstrucciones\b|\b(ignorier|vergiss)\w{0,3}\b.{0,40}\banweisungen\b|\b(ignore[zs]?|oublie[zs]?)\b.{0,40}\bconsignes\b/iu,
  /\bthe (only |correct |right |true )?answer\b.{0,40}\bis always\b/iu,
  /\b(always|you (must|should|are to)) (answer|reply|respond)( only)? (with|that)\b/iu,
  /^\W{0,2}#{3,4}\s{0,3}(system|assistant|user|instructions?|response)\W{0,2}:/iu,
  /<\|[^|]{1,40}\|>|\[\/?INST\]|<\/?s>/u,
];
