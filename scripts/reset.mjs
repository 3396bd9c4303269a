// Removes a home (GRAFT_HOME) after asking; `--yes` answers.
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';

await import('./build.mjs');
const { loadConfig } = await import('../dist/src/platform/config.js');
const { removeHome } = await import('../dist/src/platform/processes/index.js');

const home = loadConfig().GRAFT_HOME;
if (!existsSync(home)) {
  console.log(`${home} does not exist: nothing to remove.`);
  process.exit(0);
}
if (!process.argv.includes('--yes')) {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(`Remove ${home} with its database, vectors, files and answers? Type "yes": `);
  terminal.close();
  if (answer.trim() !== 'yes') {
    console.log('Nothing was removed.');
    process.exit(1);
  }
}
try {
  await removeHome(home);
} catch (error) {
  console.error([error.message, error.hint].filter(Boolean).join(' '));
  process.exit(1);
}
console.log(`${home} is gone.`);
