/** An entity as a reviewer writes it: a line of its type, a colon and its words. */
interface Marked {
  type: string;
  text: string;
}

interface Placed {
  type: string;
  start: number;
  end: number;
}

/** One entity a line, in the order in which they stand. */
export const writtenEntities = (entities: readonly Marked[]): string =>
  entities.map(({ type, text }) => `${type}: ${text}`).join('\n');

/**
 * Where the entities of such lines stand in the question, in UTF-16 units: each is looked for behind the one before, else from the beginning,
 * and never where another of its type stands already.
 * @returns what is wrong with which line, in words, where one can't be read
 */
export function readEntities(question: string, entityText: string): Placed[] | string {
  const entities: Placed[] = [];
  let searchStart = 0;
  for (const line of entityText.split('\n')) {
    if (line.trim() === '') continue;
    const colon = line.indexOf(':');
    const type = line.slice(0, Math.max(0, colon)).trim();
    const text = line.slice(colon + 1).trim();
    if (type === '' || text === '') return `“${line.trim()}” is not a type, a colon and words of the question.`;
    const isTaken = (start: number): boolean =>
      entities.some((entity) => entity.type === type && entity.start === start);
    const start = [searchStart, 0]
      .map((from) => nextOf(question, text, from, isTaken))
      .find((position) => position >= 0);
    if (start === undefined)
      return `“${text}” does not stand in the question${question.includes(text) ? ' once more' : ''}.`;
    searchStart = start + text.length;
    entities.push({ type, start, end: searchStart });
  }
  return entities.sort((a, b) => a.start - b.start || a.end - b.end);
}

function nextOf(question: string, text: string, from: number, isTaken: (start: number) => boolean): number {
  let position = question.indexOf(text, from);
  while (position >= 0 && isTaken(position)) position = question.indexOf(text, position + 1);
  return position;
}
