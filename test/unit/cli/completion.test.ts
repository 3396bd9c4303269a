import { execFileSync } from 'node:child_process';
import { Command } from 'commander';
import { addCompletionCommand } from '../../../src/cli/completion.js';

describe('graft completion', () => {
  const program = new Command('graft').option('--json', 'as JSON');
  program.command('call <operation>').option('--follow', 'wait');
  const keys = program.command('keys');
  keys.command('create');
  keys.command('revoke');
  addCompletionCommand(program);

  /** What bash offers behind these words. */
  async function offered(...words: string[]): Promise<string[]> {
    let script = '';
    const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
      script += String(text);
      return true;
    });
    await program.parseAsync(['completion'], { from: 'user' });
    write.mockRestore();
    const ask = `COMP_WORDS=(graft "$@"); COMP_CWORD=$#; _graft; echo "\${COMPREPLY[@]}"`;
    const told = execFileSync('bash', ['-c', `${script}\n${ask}`, 'bash', ...words], { encoding: 'utf8' });
    return told.trim().split(' ');
  }

  test('completes commands, those below them, options, and operations by name', async () => {
    expect(await offered('ke')).toEqual(['keys']);
    expect(await offered('keys', 'rev')).toEqual(['revoke']);
    expect(await offered('call', '--fo')).toEqual(['--follow']);
    expect(await offered('call', 'AskStr')).toEqual(['AskStream']);
  });
});
