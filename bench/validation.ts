/**
 * What a validation report finds and what it costs: files go through the real import (PostgreSQL, artifacts, the maker's
 * own process), and what the rules say of each stored row is counted against faults planted with a seed.
 *
 * Published: seconds of importing and validating BANKING77; peak memory and seconds of a million generated rows; recall and
 * precision on near duplicates (against exact Jaccard over all pairs), on leaks between splits, on flipped labels (peer:
 * cleanlab) and on personal data (peers: scrubadub and detect-secrets; Presidio would download a language model).
 * `GRAFT_BENCH_ROWS` makes the generated file smaller for a try.
 */
import { createReadStream, existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  jaccard,
  NEAR_DUPLICATE,
  PreprocessingStep,
  preprocessText,
  shingles,
  Split,
  TaskKind,
  wordsForm,
  type NewImportFile,
} from '../src/sources/data/index.js';
import { DataKit, ws } from '../test/integration/data/data-kit.js';
import { seededRandom, shuffled } from '../src/kernel/random.js';
import { startTestServers, stopTestServers } from '../test/support/test-servers.js';
import { watchMemory } from './support/peak-memory.js';
import { Peers } from './support/peers.js';
import { plantedPersonalData, type PersonalText } from './support/planted-personal-data.js';
import {
  EDIT_NAMES,
  EDITS,
  flipLabels,
  generatedCsv,
  pick,
  type EditName,
  type LabelledText,
} from './support/planted.js';
import { describeMachine, median, printResult } from './support/report.js';
import { percent } from './support/percent.js';

const DATASETS = process.env['GRAFT_SHARED_DATASETS'] ?? '../shared/datasets';
const BANKING77 = { train: join(DATASETS, 'banking77-train.csv'), test: join(DATASETS, 'banking77-test.csv') };
const ROWS = Number(process.env['GRAFT_BENCH_ROWS'] ?? 1_000_000);
const SEED = 20261124;
const ROUNDS = 3;
const PAIRS = 2_000;
const LEAKS_PER_EDIT = 200;
const NOISE = 0.05;
const PERSONAL_PER_KIND = 400;
const HOUR = 3_600_000;

/** Rows of a CSV file with the columns text and label; blanks as one, so that no two texts differ by blanks alone. */
async function readCsv(path: string): Promise<LabelledText[]> {
  const [, ...records] = [...(await readFile(path, 'utf8')).matchAll(/(?:"((?:[^"]|"")*)"|([^,\n]*)),([^\n]*)\n?/g)];
  return records.map(([, quoted, plain, label]) => ({
    text: (quoted?.replaceAll('""', '"') ?? plain!).replace(/\s+/g, ' ').trim(),
    label: label!.trim(),
  }));
}

interface Score {
  precision: number;
  recall: number;
}

/** Of what was found, the share that is there; of what is there, the share that was found. */
function score<T>(found: ReadonlySet<T>, there: ReadonlySet<T>): Score {
  const right = [...found].filter((item) => there.has(item)).length;
  return { precision: right / found.size, recall: right / there.size };
}

const both = ({ recall, precision }: Score): string => `${percent(recall)} / ${percent(precision)}`;

let datasets = 0;

async function newDataset(kit: DataKit): Promise<string> {
  const name = `planted-${(datasets += 1)}`;
  await kit.data.datasets.createDataset(ws, { name, task: TaskKind.CLASSIFICATION });
  return name;
}

/** Imports rows and returns the rules that name each of them, by its index. */
async function problemsOf(kit: DataKit, rows: readonly (LabelledText & { split: string })[]): Promise<string[][]> {
  const withIds = rows.map((row, id) => ({ id: String(id), ...row }));
  const version = await kit.imported(await newDataset(kit), withIds);
  const problems: string[][] = [];
  const groups = await kit.data.store.rowGroups(version.id);
  for await (const batch of kit.data.rows.stream(TaskKind.CLASSIFICATION, groups, {}))
    for (const row of batch) problems[Number(row.key)] = row.problems;
  return problems;
}

/** Seconds from the upload of BANKING77's two files to the stored version. */
async function importBanking77(kit: DataKit): Promise<{ seconds: number[]; rows: number }> {
  const seconds: number[] = [];
  let rows = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const dataset = await newDataset(kit);
    const began = performance.now();
    const files: NewImportFile[] = [];
    for (const [path, split] of [
      [BANKING77.train, Split.TRAIN],
      [BANKING77.test, Split.TEST],
    ] as const)
      files.push({ fileId: (await kit.upload('banking77.csv', createReadStream(path))).id, split });
    const version = await kit.version(await kit.import(dataset, files));
    seconds.push((performance.now() - began) / 1_000);
    rows = version.report.rows;
  }
  return { seconds, rows };
}

/** The file is generated into the artifact store piece by piece; what is timed and watched is the import. */
async function importGenerated(kit: DataKit) {
  const dataset = await newDataset(kit);
  const file = await kit.upload('generated.csv', Readable.from(generatedCsv(ROWS, SEED)));
  const memory = watchMemory('maker-process');
  const began = performance.now();
  const run = await kit.import(dataset, [{ fileId: file.id }]);
  await kit.ended(run, HOUR);
  const seconds = (performance.now() - began) / 1_000;
  const peak = memory.stop();
  const { report } = await kit.version(run);
  const problems = Object.fromEntries(report.problems.map(({ rule, count }) => [rule, count]));
  return { seconds, fileBytes: Number(file.bytes), rows: report.rows, peak, problems };
}

/** Indexes of texts that are near duplicates of one before them: exact Jaccard similarity of all pairs. */
function exactNearDuplicates(texts: readonly string[]): Set<number> {
  const sets = texts.map((text) => shingles(wordsForm(text)));
  const found = new Set<number>();
  for (const [b, right] of sets.entries())
    for (let a = 0; a < b && !found.has(b); a += 1) {
      const [less, more] = [sets[a]!.size, right.size].sort((x, y) => x - y) as [number, number];
      // Even a subset is not alike enough when it is so much smaller.
      if (less >= NEAR_DUPLICATE * more && jaccard(sets[a]!, right) >= NEAR_DUPLICATE) found.add(b);
    }
  return found;
}

/** Texts of BANKING77 and one edited copy of each, in one split. */
async function findNearDuplicates(kit: DataKit, train: readonly LabelledText[], words: readonly string[]) {
  const random = seededRandom(SEED);
  const bases = shuffled(train, random).slice(0, PAIRS);
  const copies = bases.map(({ text, label }) => ({
    text: EDITS[pick(random, EDIT_NAMES)](text, random, words),
    label,
  }));
  const byText = new Map([...bases, ...copies].map((row) => [row.text.replace(/\s+/g, ' ').trim(), row]));
  const rows = [...byText].map(([text, { label }]) => ({ text, label, split: 'train' }));
  const there = exactNearDuplicates(rows.map(({ text }) => text));
  const problems = await problemsOf(kit, rows);
  const found = new Set([...problems.keys()].filter((i) => problems[i]!.includes('near-duplicate')));
  return { ...score(found, there), rows: rows.length, there: there.size };
}

/** BANKING77's test split, and edited copies of its texts in the training split. */
async function findLeaks(kit: DataKit, test: readonly LabelledText[], words: readonly string[]) {
  const random = seededRandom(SEED + 1);
  const leaks = EDIT_NAMES.flatMap((edit) =>
    shuffled(test, random)
      .slice(0, LEAKS_PER_EDIT)
      .map((source) => ({ edit, source, label: source.label, text: EDITS[edit](source.text, random, words) })),
  );
  const rows = [
    ...test.map(({ text, label }) => ({ text, label, split: 'test' })),
    ...leaks.map(({ text, label }) => ({ text, label, split: 'train' })),
  ];
  const problems = await problemsOf(kit, rows);
  const judged = leaks.map(({ edit, source, text }, i) => ({
    edit,
    alike: jaccard(shingles(wordsForm(source.text)), shingles(wordsForm(text))),
    found: problems[test.length + i]!.some((rule) => rule === 'split-leak' || rule === 'near-split-leak'),
  }));
  const recall = (of: typeof judged) => of.filter(({ found }) => found).length / of.length;
  const byEdit = (edit: EditName) => {
    const of = judged.filter((leak) => leak.edit === edit);
    return { recall: percent(recall(of)), medianJaccard: Number(median(of.map(({ alike }) => alike)).toFixed(2)) };
  };
  return {
    recall: recall(judged),
    recallOfAlike: recall(judged.filter(({ alike }) => alike >= NEAR_DUPLICATE)),
    leaks: leaks.length,
    alike: judged.filter(({ alike }) => alike >= NEAR_DUPLICATE).length,
    byEdit: Object.fromEntries(EDIT_NAMES.map((edit) => [edit, byEdit(edit)])),
  };
}

async function findWrongLabels(kit: DataKit, peers: Peers, train: readonly LabelledText[]) {
  const { rows, flipped } = flipLabels(train, NOISE, seededRandom(SEED + 2));
  const problems = await problemsOf(
    kit,
    rows.map((row) => ({ ...row, split: 'train' })),
  );
  const ours = new Set([...problems.keys()].filter((i) => problems[i]!.includes('suspect-label')));
  const theirs = await peers.labels(
    rows.map(({ text }) => text),
    rows.map(({ label }) => label),
  );
  return {
    graft: score(ours, flipped),
    cleanlab: theirs && score(new Set(theirs), flipped),
    flipped: flipped.size,
    suspects: { graft: ours.size, cleanlab: theirs?.length ?? null },
  };
}

/** @param found whether the item of a text was found; marked: whether anything was */
function scorePersonalData(texts: readonly PersonalText[], found: readonly boolean[], marked: readonly boolean[]) {
  const rows = texts.map((planted, i) => ({ ...planted, found: found[i]!, marked: marked[i]! }));
  const personal = rows.filter(({ kind }) => kind !== null);
  const rightly = personal.filter((row) => row.found);
  const some = (of: typeof rows) => of.slice(0, 5).map(({ text }) => text);
  const recallOf = (kind: string | null) =>
    percent(rightly.filter((row) => row.kind === kind).length / personal.filter((row) => row.kind === kind).length);
  return {
    recall: rightly.length / personal.length,
    precision: rightly.length / rows.filter((row) => row.marked).length,
    recallByKind: Object.fromEntries(
      [...new Set(personal.map(({ kind }) => kind))].map((kind) => [kind, recallOf(kind)]),
    ),
    missed: some(personal.filter((row) => !row.found)),
    falseAlarms: some(rows.filter(({ kind, marked }) => kind === null && marked)),
  };
}

/** Ours has to replace exactly the item by its kind; a find of the peers counts wherever it overlaps the item. */
async function findPersonalData(peers: Peers) {
  const texts = plantedPersonalData(PERSONAL_PER_KIND, seededRandom(SEED + 3));
  const masked = texts.map(({ text }) => preprocessText(text, [PreprocessingStep.MASK_PII]).text);
  const graft = scorePersonalData(
    texts,
    texts.map(
      ({ text, kind, start, item }, i) =>
        masked[i] === text.slice(0, start) + `[${kind}]` + text.slice(start + item.length),
    ),
    texts.map(({ text }, i) => masked[i] !== text),
  );
  const spans = await peers.personalData(texts.map(({ text }) => text));
  const theirs =
    spans &&
    scorePersonalData(
      texts,
      texts.map(({ start, item }, i) => spans[i]!.some(([from, to]) => from < start + item.length && to > start)),
      spans.map((of) => of.length > 0),
    );
  return { graft, peers: theirs, texts: texts.length };
}

async function run(kit: DataKit, peers: Peers): Promise<void> {
  const [train, test] = [await readCsv(BANKING77.train), await readCsv(BANKING77.test)];
  const words = [...new Set(train.flatMap(({ text }) => wordsForm(text).split(' ')))];
  const load = { before: loadavg()[0], after: 0 };
  const banking77 = await importBanking77(kit);
  const generated = await importGenerated(kit);
  const nearDuplicates = await findNearDuplicates(kit, train, words);
  const leaks = await findLeaks(kit, test, words);
  const labels = await findWrongLabels(kit, peers, train);
  const personalData = await findPersonalData(peers);
  load.after = loadavg()[0]!;

  const row = (figure: string, graft: string, target: string, peer: Score | null = null, name = '') => ({
    figure,
    graft,
    target,
    peer: peer ? `${name} ${both(peer)}` : '',
  });
  const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
  const million = generated.rows.toLocaleString('en');
  printResult('validation', {
    machine: describeMachine(),
    rows: [
      row(
        `BANKING77 (${banking77.rows.toLocaleString('en')} rows): import and validation`,
        `${median(banking77.seconds).toFixed(1)} s`,
        '< 10 s',
      ),
      row(
        `${million} rows: peak memory of the process that makes the version`,
        megabytes(generated.peak.child),
        '< 1000 MB',
      ),
      row(`${million} rows: import and validation`, `${generated.seconds.toFixed(0)} s`, ''),
      row('near duplicates: recall / precision', both(nearDuplicates), '95 % / 95 %'),
      row('leaks between splits, all edits: recall', percent(leaks.recall), ''),
      row('leaks between splits, Jaccard at least 0.7: recall', percent(leaks.recallOfAlike), ''),
      row('5 % flipped labels: recall / precision', both(labels.graft), '', labels.cleanlab, 'cleanlab'),
      row(
        'personal data: recall / precision',
        both(personalData.graft),
        '',
        personalData.peers,
        'scrubadub + detect-secrets',
      ),
    ],
    load,
    banking77,
    generated,
    nearDuplicates,
    leaks,
    labels,
    personalData,
  });
}

if (!existsSync(BANKING77.train)) {
  console.log(
    `SKIPPED: ${BANKING77.train} is not here. Name the folder of banking77-train.csv in GRAFT_SHARED_DATASETS.`,
  );
} else {
  await startTestServers();
  const kit = await DataKit.start();
  const peers = await Peers.start();
  try {
    await run(kit, peers);
  } finally {
    await peers.stop();
    await kit.dispose();
    await stopTestServers();
  }
}
