import { duration } from '../../../src/kernel/duration.js';

it.each([
  [119_999.98026400013, '120 s'],
  [0, '0 ms'],
  [380.4, '380 ms'],
  [999.7, '1 s'],
  [4_210, '4.2 s'],
  [9_960, '10 s'],
  [41_300, '41 s'],
  [299_000, '299 s'],
  [900_000, '15 min'],
  [17_000_000, '283 min'],
  [36_000_000, '10 h'],
])('%f ms are %s', (ms, text) => expect(duration(ms)).toBe(text));
