import type { RunRow } from '../../platform/runs/index.js';

type Report = Pick<RunRow, 'progress' | 'message'>;

/** Of a run that is waited for a report a hundredth is told: a training of hours has thousands. */
const LEAST_PROGRESS = 0.01;

/** Which reports of a run are told on: those that are a hundredth further, and each whose words are others than its numbers. */
export function newReports(): (report: Report) => boolean {
  let told = { progress: -1, words: '' };
  return ({ progress, message }) => {
    const words = message.replaceAll(/\d+/g, '');
    if (message === '' || (words === told.words && Math.abs(progress - told.progress) < LEAST_PROGRESS)) return false;
    told = { progress, words };
    return true;
  };
}
