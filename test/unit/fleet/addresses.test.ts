import { resolveEngines } from '../../../src/ship/fleet/replicas/addresses.js';

const asked: string[] = [];
const look = (host: string): Promise<string[]> => {
  asked.push(host);
  if (host === 'vllm') return Promise.resolve(['10.0.0.8', '10.0.0.7', 'fd00::1']);
  return Promise.reject(new Error('ENOTFOUND'));
};

describe('the addresses of a fleet', () => {
  it('are one for each replica of a headless service, with its port and its protocol, in order', async () => {
    expect(await resolveEngines(['dns+http://vllm:8000'], look)).toEqual([
      'http://10.0.0.7:8000',
      'http://10.0.0.8:8000',
      'http://[fd00::1]:8000',
    ]);
    expect(asked).toEqual(['vllm']);
  });

  it('name no engine twice, and leave one that is named itself as it is', async () => {
    const both = ['http://10.0.0.7:8000/', 'dns+http://vllm:8000', 'https://engines.example.com/one'];
    expect(await resolveEngines(both, look)).toEqual([
      'http://10.0.0.7:8000',
      'http://10.0.0.8:8000',
      'http://[fd00::1]:8000',
      'https://engines.example.com/one',
    ]);
  });

  it('are none for a service that the name server doesn’t know yet', async () => {
    expect(await resolveEngines(['dns+http://nobody:8000', 'http://10.0.0.9:8000'], look)).toEqual([
      'http://10.0.0.9:8000',
    ]);
  });
});
