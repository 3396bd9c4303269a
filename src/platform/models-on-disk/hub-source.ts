import type { Sha256 } from '../../kernel/hashing.js';
import { HttpFiles } from './http-files.js';
import type { Fetching } from './source.js';

export type HubFile = {
  /** `owner/name`. */
  repo: string;
  file: string;
  /** Branch, tag or commit; `main` by default. */
  revision?: string;
};

/** The Hugging Face hub or a mirror (HF_ENDPOINT). */
export class HubSource {
  readonly #files: HttpFiles;

  constructor(private readonly options: { endpoint: string; token?: string }) {
    this.#files = new HttpFiles({
      url: options.endpoint,
      authorization: options.token && `Bearer ${options.token}`,
      denied: 'set HF_TOKEN to a token that may read the repository',
    });
  }

  url({ repo, file, revision = 'main' }: HubFile): string {
    const path = [...repo.split('/'), 'resolve', revision, ...file.split('/')].map(encodeURIComponent).join('/');
    return `${this.options.endpoint.replace(/\/$/, '')}/${path}`;
  }

  /**
   * Brings the whole file to `fetching.part`, continuing what an earlier try left there.
   * @returns the digest that the hub states for the file, if it states one
   * @throws SourceFailed when the hub can't give it, STORAGE_FAILED when it can't be written here
   */
  fetch(file: HubFile, fetching: Fetching): Promise<Sha256 | null> {
    return this.#files.fetch(this.url(file), fetching);
  }
}
