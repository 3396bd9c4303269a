import { contentStems } from './words.js';

/**
 * Sentences that speak of answering instead of their subject: they tell whoever reads them what to say, claim to be the one right answer, or
 * name the model that shall obey. A document's author can write such a sentence for any question, and word and meaning then fit it better than
 * the sentence that knows. It isn't left out, since an honest text may speak so too (a manual of a chat program, a list of questions and
 * answers): it ranks below every sentence that doesn't.
 *
 * Few forms of each mark, all repetitions bounded, lest a hostile sentence makes them slow. Of the sentences that hold the answers of XQuAD
 * (English, Spanish), SQuAD 2 and COVID-QA none has a mark, of all their sentences one in two thousand at most (`test/unit/ask/addresses.test.ts`).
 */
export function addressesReader(text: string, asked: ReadonlySet<string>): boolean {
  const [spokenTo] = SPOKEN_TO.exec(text) ?? [];
  // Who asks about a chat program is told of it.
  if (spokenTo !== undefined && ![...contentStems(spokenTo)].some((stem) => asked.has(stem))) return true;
  return MARKS.some((mark) => mark.test(text));
}

const SPOKEN_TO =
  /\b(language models?|LLMs?|chat ?bots?|(AI|virtual) (assistants?|models?|systems?)|as an AI|(note|dear|attention|hey|hello) (to )?(the |all |any )?(assistants?|AI|models?|readers?|bots?)|system prompt|your (instructions?|prompt|training)|modelos? de lenguaje|Sprachmodelle?|modèles? de langage)\b/iu;

const MARKS: readonly RegExp[] = [
  // What is to be said: answering as an order.
  /(^\W{0,4}|[,;:.!–—-]\s{0,3}|\b(must|should|shall|always|only|please|simply|instead|to) )(answer|reply|respond|say|state|claim|repeat|output|quote|cite|responde|responda|contesta|antworte|antworten Sie|répondez|réponds)\b[^.!?]{0,40}?(\b(with|that|only|exactly|as follows|que|con|mit|dass)\b|["“'‘:])/iu,
  // When: whenever somebody asks.
  /\b(when(ever)?|if|once|should) (you are|you['’]re|you get|someone|somebody|anyone|anybody|a user|users?|the user|people|they|one)?\s{0,2}(is |are )?ask(s|ed)?\b[^.!?]{0,120}\b(answer|reply|respond|say|state|tell|give|return|repeat|use|claim|quote)\b/iu,
  // That it is right, and others are not.
  /\b(correct|right|true|only|final|official|verified|authoritative|definitive) (answer|response|reply)(\s*:| (is|to|for|remains)\b)|\b(ignore|disregard|forget|discard|overrides?|supersedes?|replaces?)\b[^.!?]{0,40}\b(answers?|texts?|passages?|documents?|sources?|pages?|statements?|sentences?|instructions?|everything)\b|\b(all|any|every) (other|earlier|previous) (texts?|passages?|documents?|sources?|pages?|statements?|sentences?)\b[^.!?]{0,30}\b(wrong|false|outdated|incorrect|obsolete|mistaken)\b/iu,
  // Markup of prompts.
  /^\W{0,4}#{2,4}\s*(system|instructions?|response|assistant|user)\b|<\/?(system|assistant|instructions?|prompt|user)>|\[(system|assistant|instructions?)\]/iu,
];
