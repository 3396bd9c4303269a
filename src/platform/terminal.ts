import { MultiBar, Presets, type SingleBar } from 'cli-progress';
import type { DownloadProgress } from './models-on-disk/index.js';
import type { Logger } from './telemetry/index.js';

/** What a person or a script reads, on stdout; the log goes to stderr. */
export const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** The same for a script. */
export const printJson = (value: unknown): void => say(JSON.stringify(value, null, 2));

/** Where to go; the console first, since everything is reached from there. */
export function sayAddresses(url: string): void {
  say(`Console     ${url}/`);
  say(`GraphQL     ${url}/graphql`);
  say(`Playground  ${url}/playground`);
}

const MEBIBYTE = 1024 * 1024;

/** One bar a file on a terminal; elsewhere a line of the log for each tenth. */
export class DownloadBars {
  private readonly bars = new Map<string, SingleBar>();
  private readonly tenths = new Map<string, number>();
  private multi: MultiBar | undefined;

  constructor(private readonly log: Logger) {}

  readonly show = ({ file, bytes, total }: DownloadProgress): void => {
    if (process.stdout.isTTY) this.draw(file, bytes, total);
    else this.note(file, bytes, total);
  };

  /** Ends the bars, so that what follows is written below them. */
  finish(): void {
    this.multi?.stop();
    if (this.tenths.size > 0) this.log.info('model files fetched and verified');
  }

  private note(file: string, bytes: number, total: number): void {
    const tenth = total === 0 ? 0 : Math.floor((10 * bytes) / total);
    if (tenth <= (this.tenths.get(file) ?? -1)) return;
    this.tenths.set(file, tenth);
    this.log.info({ file, bytes, total }, 'fetching a model file');
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
    const size = Math.max(total, bytes, 1);
    const values = { file, megabytes: Math.ceil(size / MEBIBYTE) };
    const bar = this.bars.get(file) ?? this.multi.create(size, 0, values);
    this.bars.set(file, bar);
    bar.setTotal(size);
    bar.update(bytes, values);
  }
}
