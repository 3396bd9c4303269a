import { disguised } from './disguised.js';
import { withoutAnswerLabel } from './questions.js';
import { contentStems } from './words.js';

/**
 * Sentences that speak of answering instead of their subject: they tell whoever reads them what to say, claim to be the one right answer, or
 * call upon a model. A document's author can write such a sentence for any question, and word and meaning then fit it better than the sentence
 * that knows. It isn't left out, since an honest text may speak so too (a manual of a chat program, a list of questions and answers): it ranks
 * below every sentence that doesn't.
 *
 * Few forms of each mark, all repetitions bounded, lest a hostile sentence makes them slow. They are orders and calls, not words of a field: what must
 * answer, state or supersede something is the subject of many an honest text. Of the sentences that hold the answers of XQuAD (English, Spanish),
 * SQuAD 2 and COVID-QA none has a mark (`test/unit/ask/addresses.test.ts`).
 * @param questionStems stems of the question's words
 * @param afterQuestion whether the sentence follows one, as in a list of questions and answers
 */
export function addressesReader(text: string, questionStems: ReadonlySet<string>, afterQuestion: boolean): boolean {
  return disguised(text).some((line) => {
    const form = withoutAnswerLabel(line, afterQuestion);
    const [spokenTo] = SPOKEN_TO.exec(form) ?? [];
    // Who asks about a chat program is told of it.
    if (spokenTo !== undefined && ![...contentStems(spokenTo)].some((stem) => questionStems.has(stem))) return true;
    return MARKS.some((mark) => mark.test(form));
  });
}

const SPOKEN_TO =
  /\bas an AI\b|\b(note|dear|attention|hey|hello) (to )?(the |all |any )?(assistants?|AI|LLMs?|chat ?bots?|bots?|(language |AI )?models?)\b|\b(system|your) prompt\b/iu;

const MARKS: readonly RegExp[] = [
  // What is to be said: answering as an order.
  /(^\W{0,4}|[;:.!?]\s{1,3})((please|always|only|simply|instead|you (must|should)),? )?(answer|reply|respond|responde|responda|contesta|antworte|antworten Sie|répondez|réponds)\b[^.!?]{0,40}?(\b(with|that|exactly|as follows|que|con|mit|dass)\b|["“'‘:])/iu,
  // When: whenever somebody asks.
  /\b((when(ever)?|if|once) asked|(when(ever)?|if|once|should) (someone|somebody|anyone|anybody|a user|users?|the user|people|they) asks?)\b[^.!?]{0,120}\b(answer|reply|respond|say|state|tell|claim)\b/iu,
  // That it is right, and others are not.
  /\b(correct|right|true|only|final|official|verified|authoritative|definitive) (answer|response|reply)(\s*:| (is|to|for|remains)\b)|^\W{0,4}(please )?(ignore|disregard|forget|discard)\b[^.!?]{0,40}\b(answers?|texts?|passages?|documents?|sources?|pages?|statements?|sentences?|instructions?|everything)\b|\b(all|any|every) (other|earlier|previous) (texts?|passages?|documents?|sources?|pages?|statements?|sentences?)\b[^.!?]{0,30}\b(wrong|false|outdated|incorrect|obsolete|mistaken)\b/iu,
  // That nothing else counts, within a sentence: who orders so of what is no text (`sources of heat`), or forbids it, does not mean the reader.
  /(?<!(?:\bnot|\bnever|\bcannot|n['’]t)\s{1,3})\b(ignore|disregard|forget|override)\b.{0,30}\b(all|any|other|your)\b.{0,30}\b(rules|context|documents|sources)\b(?! of\b)/iu,
  // Markup of prompts.
  /^\W{0,4}#{2,4}\s*(system|instructions?|response|assistant|user)\b|<\/?(system|assistant|instructions?|prompt|user)>|\[(system|assistant|instructions?)\]/iu,
];
