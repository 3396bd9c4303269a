import { Command } from 'commander';
import { addAccessCommands } from '../../../src/cli/keys.js';

describe('graft keys', () => {
  it.each([
    ['rotate', 'graft_0123456789', '--overlap', '0s'],
    ['rotate', 'graft_0123456789', '--overlap', ''],
    ['create', 'desk', '--role', 'ASK', '--days', '30d'],
    ['create', 'desk', '--role', 'ASK', '--days', 'Infinity'],
  ])('does nothing where a time is no number: %s %s %s %s %s', async (...args) => {
    const withClient = jest.fn(() => Promise.resolve());
    const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
    addAccessCommands(program, withClient);
    await expect(program.parseAsync(['keys', ...args], { from: 'user' })).rejects.toMatchObject({
      code: 'commander.invalidArgument',
    });
    expect(withClient).not.toHaveBeenCalled();
  });
});
