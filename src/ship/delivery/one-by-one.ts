/** Work of this gateway that waits for each other: of a thousand at once all but one find what the first began, and none waits for the database. */
export class OneByOne {
  #last: Promise<unknown> = Promise.resolve();

  do<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}
