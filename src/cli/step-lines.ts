import { Presets, SingleBar } from 'cli-progress';
import type { ProgressListener } from './backup/index.js';

/** The steps of long work on stderr: a bar each on a terminal, else a line when one has ended. */
export class StepLines {
  #bar: SingleBar | null = null;
  #step = '';

  readonly show: ProgressListener = ({ what, done, total }) => {
    // “table answer” and “tables” are one step.
    const step = what.split(' ')[0]!.replace(/s$/, '');
    if (!process.stderr.isTTY) {
      if (total !== null && done === total) process.stderr.write(`${what}: ${total}\n`);
      return;
    }
    if (step !== this.#step) this.finish();
    this.#step = step;
    this.#bar ??= begun();
    this.#bar.setTotal(Math.max(total ?? done, 1));
    this.#bar.update(done, { what });
    if (total !== null && done === total) this.finish();
  };

  /** Ends the bar, so that what follows is written below it. */
  finish(): void {
    this.#bar?.stop();
    this.#bar = null;
  }
}

function begun(): SingleBar {
  const bar = new SingleBar(
    { format: '{bar} {value}/{total} {what}', hideCursor: true, stream: process.stderr },
    Presets.shades_classic,
  );
  bar.start(1, 0, { what: '' });
  return bar;
}
