import { fileURLToPath } from 'node:url';

/**
 * Path of a program beside the module that starts it.
 * @param url `import.meta.url` of that module: tests run the TypeScript sources, but a process needs the compiled file
 * @param name of the compiled file, e.g. `./parse-process.js`
 */
export function compiledProgram(url: string, name: string): string {
  const path = fileURLToPath(new URL(name, url));
  if (!url.endsWith('.ts')) return path;
  // The last `src`, as the folder that Graft lies in may have one above it.
  return path.replace(/^(.*[\\/])src([\\/])/s, (_, root: string, separator: string) => `${root}dist/src${separator}`);
}
