/** What a benchmark is told on its command line: `npm run bench -- NAME --rows 500`. */
const given = (name: string): string | undefined => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
};

export const textOption = (name: string, standard: string): string => given(name) ?? standard;
export const numberOption = (name: string, standard: number): number => Number(given(name) ?? standard);
export const listOption = (name: string): string[] | null => given(name)?.split(',') ?? null;
