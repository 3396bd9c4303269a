import { disguised } from './disguised.js';

/**
 * Whether a sentence speaks to a model instead of about its subject: it instructs, or it imitates the form of an answer or of a
 * conversation. Documents are strangers' texts, and such a sentence matches any question that its author thought of.
 * @param afterQuestion whether the sentence before asks, as in a list of questions and answers
 */
export function isPlanted(text: string, afterQuestion: boolean): boolean {
  return disguised(text).some(
    (form) => (!afterQuestion && ANSWER_FORM.test(form)) || INSTRUCTIONS.some((pattern) => pattern.test(form)),
  );
}

const ANSWER_FORM = /^\W{0,4}(a|answer|final answer|respuesta|antwort|réponse)\W{0,2}:/iu;

/** All repetitions are bounded: a hostile sentence must not make them slow. */
const INSTRUCTIONS: readonly RegExp[] = [
  /\b(ignore|disregard|forget|override)\b.{0,30}\b(previous|prior|above|earlier|preceding|all|any|other|your)\b.{0,30}\b(instructions?|prompts?|rules|context|documents|passages|sources)\b/iu,
  /\b(ignora|olvida)\b.{0,40}\binstrucciones\b|\b(ignorier|vergiss)\w{0,3}\b.{0,40}\banweisungen\b|\b(ignore[zs]?|oublie[zs]?)\b.{0,40}\bconsignes\b/iu,
  /\bthe (only |correct |right |true )?answer\b.{0,40}\bis always\b/iu,
  /\b(always|you (must|should|are to)) (answer|reply|respond)( only)? (with|that)\b/iu,
  /^\W{0,4}(system|assistant|user)\W{0,2}:/iu,
  /<\|[^|]{1,40}\|>|\[\/?INST\]|<\/?s>/u,
];
