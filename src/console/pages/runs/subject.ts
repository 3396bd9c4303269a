import type {
  AdapterVersionNamedFragment,
  FileShownFragment,
  RunKind,
  RunListQuery,
  VariantNamedFragment,
} from '../../generated/operations';
import { runLine } from '../../parts/format';
import { adapterPath, collectionPath, comparisonPath, datasetPath, trainingPath } from '../../parts/paths';
import { isOpen } from '../../parts/runs';

export type Run = RunListQuery['runs']['edges'][number]['node'];

/** What a run works on, and the page where that is looked at. */
interface Subject {
  name: string;
  path: string;
}

/** Kinds that have a page of their own, where their work is looked at. */
const PAGES: Partial<Record<RunKind, (run: Run) => string>> = {
  SOURCE_SYNC: () => '/sources',
  TRAINING: ({ id }) => trainingPath(id),
  STRATEGY_COMPARISON: ({ id }) => comparisonPath(id),
  ROUTER_FIT: () => '/router',
  ROLLOUT_WATCH: () => '/delivery',
  SHADOW_WATCH: () => '/delivery',
  EXPERIMENT_WATCH: () => '/experiments',
  IMPROVEMENT: () => '/improvements',
};

/** What a run works on, and where that, or the run itself, is looked at; null when it isn't known yet, or was deleted. */
export function subjectOf(run: Run): Subject | null {
  const subject = named(run);
  const path = PAGES[run.kind]?.(run);
  if (path === undefined) return subject;
  return { name: subject?.name ?? (run.kind === 'ROUTER_FIT' ? 'the collections and adapters' : 'deleted rows'), path };
}

function named(run: Run): Subject | null {
  if (run.__typename === 'TrainingRun') return { name: run.adapterName, path: '/training' };
  if (run.__typename === 'AdapterImportRun' && run.version) return ofVersion(run.version);
  if (run.__typename === 'DownloadRun') return run.variant && ofVariant(run.variant);
  return run.subject && ofSubject(run.subject);
}

function ofSubject(subject: NonNullable<Run['subject']>): Subject | null {
  switch (subject.__typename) {
    case 'Collection':
      return { name: subject.name, path: collectionPath(subject.name) };
    case 'Dataset':
      return ofDataset(subject.name);
    case 'DatasetVersion':
      return ofDataset(subject.dataset.name);
    case 'FeatureView':
      return { name: subject.name, path: '/data' };
    case 'File':
      return { name: subject.name, path: '/adapters' };
    case 'Adapter':
      return { name: subject.name, path: adapterPath(subject.name) };
    case 'AdapterVersion':
      return ofVersion(subject);
    case 'Model':
      return { name: subject.name, path: '/models' };
    case 'ModelVariant':
      return ofVariant(subject);
    default:
      return null;
  }
}

const ofDataset = (name: string): Subject => ({ name, path: datasetPath(name) });
const ofVersion = ({ version, adapter }: AdapterVersionNamedFragment): Subject => ({
  name: `${adapter.name}@${version}`,
  path: adapterPath(adapter.name),
});
const ofVariant = ({ model, quantization }: VariantNamedFragment): Subject => ({
  name: `${model.name} ${quantization}`,
  path: '/models',
});

/** What it wrote, to be had as a file; null before its end. */
export const fileOf = (run: Run): FileShownFragment | null => ('file' in run ? run.file : null);

/** What its line says: why it failed, what it does, or nothing once it is done, when the last step means little. */
export function lineOf({ status, message, error }: Run): string {
  if (error) return error.message;
  return isOpen(status) ? runLine({ status, message }) : '';
}
