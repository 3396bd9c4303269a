/** Characters that mark entities in an answer (extraction.ts), and line ends: no name of a label may hold them. */
const UNSPEAKABLE = /[|[\]{}⟦⟧⟪⟫\s_]+/gu;

/** `card_arrival` and `CardArrival` as `card arrival`: words that a tokenizer knows. */
const words = (label: string): string =>
  label
    .normalize('NFC')
    .replace(/(?<=[\p{Ll}\d])(?=\p{Lu})/gu, ' ')
    .replace(UNSPEAKABLE, ' ')
    .replace(/[?!.:;]+$/u, '')
    .trim()
    .toLowerCase();

/**
 * Labels (or entity types) of a dataset as a model says them, one way in training and serving. Labels that would sound alike
 * (`US` and `us`) are said as they are written.
 */
export class LabelWords {
  readonly #said = new Map<string, string>();
  readonly #heard = new Map<string, string>();
  /** Longest first, so that "card payment fee" isn't heard as "card payment". */
  readonly #byLength: readonly string[];

  constructor(readonly labels: readonly string[]) {
    const times = new Map<string, number>();
    for (const label of labels) times.set(words(label), (times.get(words(label)) ?? 0) + 1);
    for (const label of labels) {
      const wording = words(label) !== '' && times.get(words(label)) === 1 ? words(label) : label.trim();
      this.#said.set(label, wording);
      this.#heard.set(wording, label);
    }
    // A model may say it in another Unicode form, unless that is another label.
    for (const [label, wording] of this.#said) {
      const form = wording.normalize('NFC');
      if (!this.#heard.has(form)) this.#heard.set(form, label);
    }
    this.#byLength = [...this.#heard.keys()].sort((a, b) => b.length - a.length);
  }

  /** What the model shall say for a label; one that the dataset doesn't know is said by the same rule. */
  say(label: string): string {
    return this.#said.get(label) ?? words(label);
  }

  /** The label that a model's words begin with; null when they begin with none. */
  hear(text: string): string | null {
    const firstLine = text.trim().split('\n', 1)[0]!.trim();
    const line = firstLine.normalize('NFC');
    const exact = this.#heard.get(firstLine) ?? this.#heard.get(line) ?? this.#heard.get(words(line));
    if (exact !== undefined) return exact;
    const prefix = this.#byLength.find(
      (wording) =>
        line.toLowerCase().startsWith(wording.toLowerCase()) && !/^[\p{L}\p{N}]/u.test(line.slice(wording.length)),
    );
    return prefix === undefined ? null : this.#heard.get(prefix)!;
  }

  /** `negative, neutral or positive`, or null when there are too many to be listed in every prompt. */
  listed(atMost: number): string | null {
    const wordings = this.labels.map((label) => this.say(label));
    if (wordings.length === 0 || wordings.length > atMost) return null;
    return wordings.length === 1 ? wordings[0]! : `${wordings.slice(0, -1).join(', ')} or ${wordings.at(-1)}`;
  }
}
