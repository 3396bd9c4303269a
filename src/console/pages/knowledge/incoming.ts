/** One dropped file on its way into the collection. */
export interface Incoming {
  /** That of its document. */
  name: string;
  /** 0 to 1 of the upload. */
  sent: number;
  /** What became of it; null while it is under way. */
  outcome: Outcome | null;
}

interface Outcome {
  label: string;
  colour: string;
  note: string;
}

/** Files of one ingestion; the API takes no more at once. */
const MOST_FILES = 100;

/** The name that the gateway gives a file's document: what it tells of it is told under that one. */
export const documentName = (fileName: string): string => fileName.normalize('NFC').trim();

/** Why documents of these names are not taken at once; null where they are. */
export function refusalOf(names: readonly string[]): string | null {
  if (names.length > MOST_FILES) return `${names.length} files at once are too many: drop at most ${MOST_FILES}.`;
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  return twice === undefined ? null : `Two of the files are called ${twice}: rename one, or drop it by itself.`;
}

/** Of files of which nothing was told: who may not see a document’s label hears nothing of it. */
const UNTOLD: Readonly<Record<string, Outcome>> = {
  SUCCEEDED: { label: 'done', colour: 'gray', note: 'Not shown to you.' },
  FAILED: { label: 'not told', colour: 'gray', note: 'The run failed without a word of it.' },
  CANCELLED: { label: 'not told', colour: 'gray', note: 'The run was cancelled before there was a word of it.' },
};

/** The files once the last that was told of their run is this status; as they are where it goes on. */
export const afterRun = (files: readonly Incoming[], status: string): Incoming[] =>
  files.map((file) => ({ ...file, outcome: file.outcome ?? UNTOLD[status] ?? null }));
