import { MultiBar, Presets, type SingleBar } from 'cli-progress';
import type { DownloadProgress } from './platform/models-on-disk/index.js';

/** What a person or a script reads, on stdout; the log goes to stderr. */
export const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Where to go; the console first, since everything is reached from there. */
export function sayAddresses(url: string): void {
  say(`Console     ${url}/`);
  say(`GraphQL     ${url}/graphql`);
  say(`Playground  ${url}/playground`);
}

const MEBIBYTE = 1024 * 1024;

/** One bar a file on a terminal; elsewhere one line when a download begins and one when it ends. */
export class DownloadBars {
  private readonly bars = new Map<string, SingleBar>();
  private readonly begun = new Set<string>();
  private multi: MultiBar | undefined;

  readonly show = ({ file, bytes, total }: DownloadProgress): void => {
    if (process.stdout.isTTY) this.draw(file, bytes, total);
    else if (!this.begun.has(file)) {
      this.begun.add(file);
      say(`Fetching ${file}${total ? ` (${Math.ceil(total / MEBIBYTE)} MB)` : ''}`);
    }
  };

  /** Ends the bars, so that what follows is written below them. */
  finish(): void {
    this.multi?.stop();
    if (this.begun.size > 0) say('Model files fetched and verified.');
  }

  private draw(file: string, bytes: number, total: number): void {
    this.multi ??= new MultiBar(
      {
        format: '{file} {bar} {percentage}% of {megabytes} MB, {eta_formatted} left',
        hideCursor: true,
        stopOnComplete: true,
      },
      Presets.shades_classic,
    );
    const shown = Math.max(total, bytes, 1);
    const values = { file, megabytes: Math.ceil(shown / MEBIBYTE) };
    const bar = this.bars.get(file) ?? this.multi.create(shown, 0, values);
    this.bars.set(file, bar);
    bar.setTotal(shown);
    bar.update(bytes, values);
  }
}
