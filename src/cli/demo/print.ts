const WIDTH = 100;
const colour = (code: number) => (text: string) =>
  process.stdout.isTTY && !process.env.NO_COLOR ? `\u001b[${code}m${text}\u001b[0m` : text;

export const bold = colour(1);
export const dim = colour(2);
export const green = colour(32);
export const yellow = colour(33);

export const line = (text = ''): void => void process.stdout.write(`${text}\n`);

/** @param minutes how long the part takes, about; null: seconds */
export const heading = (text: string, minutes: number | null = null): void => {
  line();
  line(bold(text) + (minutes === null ? '' : dim(` (about ${minutes} min on two cores)`)));
  line(dim('─'.repeat(Math.min(WIDTH, text.length))));
};

/** Breaks prose at word boundaries and indents every line. */
export function wrap(text: string, indent = ''): string {
  const lines: string[] = [];
  let current = '';
  for (const word of text.replace(/\s+/g, ' ').trim().split(' ')) {
    if (current !== '' && indent.length + current.length + 1 + word.length > WIDTH) {
      lines.push(indent + current);
      current = word;
    } else current = current === '' ? word : `${current} ${word}`;
  }
  return [...lines, indent + current].join('\n');
}
