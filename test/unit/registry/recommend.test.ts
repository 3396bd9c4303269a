import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { packageRoot } from '../../../src/platform/package-root.js';
import { catalogue, type GeneratorEntry } from '../../../src/platform/models-on-disk/index.js';
import { memoryOf, servedFileBytes } from '../../../src/sources/registry/recommending/memory.js';
import { judged, preferred, type CandidateModel } from '../../../src/sources/registry/recommending/recommend.js';
import {
  nearest,
  scaled,
  secondsFor,
  sizeOf,
  speedOf,
  TYPICAL_ANSWER,
} from '../../../src/sources/registry/recommending/speed.js';

const generators = catalogue.filter((entry) => entry.kind === 'generator');
const sizes = generators.map((entry) => sizeOf(servedFileBytes(entry), entry.shape));
const size = fc.constantFrom(...sizes);
const speed = fc.record({
  read: fc.double({ min: 1, max: 1e4, noNaN: true }),
  write: fc.double({ min: 0.1, max: 1e3, noNaN: true }),
});

const GIB = 2 ** 30;
const candidate = (given: {
  parameters: number;
  seconds: number;
  memory?: number;
  here?: boolean;
  reader?: boolean;
  name?: string;
}): CandidateModel => ({
  entry: {
    ...generators[0]!,
    name: given.name ?? `${given.parameters}`,
    parameters: given.parameters,
    reader: given.reader ?? false,
  },
  here: given.here ?? true,
  memoryBytes: given.memory ?? GIB,
  speed: { read: 1, write: 1 },
  measuredOn: 'x',
  seconds: given.seconds,
});
const bounds = { seconds: 10, memoryBytes: 8 * GIB };
const names = (candidates: readonly CandidateModel[]) => candidates.map(({ entry }) => entry.name);

describe('the speed of a model that was not measured', () => {
  it('is the measured one where both are the same model', () => {
    fc.assert(
      fc.property(speed, size, (measured, same) => {
        const { read, write } = scaled(measured, same, same);
        expect(read).toBeCloseTo(measured.read, 6);
        expect(write).toBeCloseTo(measured.write, 6);
      }),
    );
  });

  it('comes out the same over a third model, and back', () => {
    fc.assert(
      fc.property(speed, size, size, size, (measured, a, b, c) => {
        const direct = scaled(measured, a, c);
        const over = scaled(scaled(measured, a, b), b, c);
        expect(over.read / direct.read).toBeCloseTo(1, 9);
        expect(over.write / direct.write).toBeCloseTo(1, 9);
      }),
    );
  });

  it('makes an answer take longer the more weights, bytes and tokens there are', () => {
    const more = fc.double({ min: 1, max: 20, noNaN: true });
    const work = fc.record({ read: fc.integer({ min: 1, max: 8_000 }), written: fc.integer({ min: 1, max: 500 }) });
    fc.assert(
      fc.property(speed, size, more, more, work, (measured, base, weights, bytes, asked) => {
        const larger = { ...base, layerWeights: base.layerWeights * weights, bytes: base.bytes * bytes };
        const seconds = secondsFor(asked, measured, base);
        const slower = scaled(measured, base, larger);
        expect(secondsFor(asked, slower, larger)).toBeGreaterThanOrEqual(seconds * (1 - 1e-9));
        expect(slower.read).toBeLessThanOrEqual(measured.read * (1 + 1e-9));
        expect(slower.write).toBeLessThanOrEqual(measured.write * (1 + 1e-9));
        const longer = { read: asked.read + 1, written: asked.written + 1 };
        expect(secondsFor(longer, measured, base)).toBeGreaterThan(seconds);
      }),
    );
  });

  it('is half when there is twice as much of everything', () => {
    const base = { layerWeights: 1e8, bytes: 1e8, contextBytes: 1e4, slowing: 0 };
    const twice = { layerWeights: 2e8, bytes: 2e8, contextBytes: 2e4, slowing: 0 };
    expect(scaled({ read: 300, write: 60 }, base, twice)).toEqual({ read: 150, write: 30 });
    expect(secondsFor(TYPICAL_ANSWER, { read: 100, write: 6 }, { ...base, contextBytes: 0 })).toBeCloseTo(21, 9);
  });

  it.each([
    [
      'AVX2',
      [
        ['smollm2-135m-instruct', 265, 60],
        ['qwen2.5-coder-0.5b-instruct', 66, 24],
      ],
    ],
    [
      'AVX-512',
      [
        ['qwen2.5-coder-0.5b-instruct', 112, 28.5],
        ['qwen2.5-coder-1.5b-instruct', 42.5, 18.1],
      ],
    ],
  ] as const)('is near what was measured of two models with %s, whichever of them it is scaled from', (_, figures) => {
    const measured = figures.map(([name, read, write]) => {
      const entry = generators.find((one) => one.name === name)!;
      return { size: sizeOf(servedFileBytes(entry), entry.shape), read, write };
    });
    for (const from of measured)
      for (const to of measured) {
        const { read, write } = scaled(from, from.size, to.size);
        expect(Math.abs(Math.log(read / to.read))).toBeLessThan(Math.log(1.45));
        expect(Math.abs(Math.log(write / to.write))).toBeLessThan(Math.log(1.45));
      }
  });

  it('is scaled from the nearest in weights', () => {
    const named = [1e8, 1e9, 1e10].map((layerWeights) => ({
      name: layerWeights,
      size: { layerWeights, bytes: 1, contextBytes: 0, slowing: 0 },
    }));
    const of = (layerWeights: number) => nearest(named, { ...named[0]!.size, layerWeights })?.name;
    expect([of(2e8), of(5e8), of(9e10)]).toEqual([1e8, 1e9, 1e10]);
    expect(nearest([], sizes[0]!)).toBeUndefined();
  });

  it('is none where calibration found no speed', () => {
    const at = (threads: number, prefill: number, decode: number) => ({
      threads,
      prefillTokensPerSecond: prefill,
      decodeTokensPerSecond: decode,
    });
    const threads = { prefill: 2, decode: 1 };
    expect(speedOf({ threads, quiet: true, measurements: [at(1, 90, 30), at(2, 170, 20)] })).toEqual({
      read: 170,
      write: 30,
    });
    expect(speedOf({ threads, quiet: true, measurements: [at(1, 90, 30)] })).toBeNull();
    expect(speedOf({ threads, quiet: true, measurements: [at(1, 0, 30), at(2, 0, 20)] })).toBeNull();
  });
});

describe('the model that fits a machine', () => {
  const reader = candidate({ name: 'reader', parameters: 1.3e8, seconds: 2, reader: true });

  it('is the largest that answers in time and takes at most half of the memory', () => {
    const all = [
      reader,
      candidate({ name: 'middle', parameters: 1.5e9, seconds: 8 }),
      candidate({ name: 'large', parameters: 2.5e9, seconds: 10 }),
      candidate({ name: 'slow', parameters: 7e9, seconds: 10.1 }),
      candidate({ name: 'huge', parameters: 9e9, seconds: 1, memory: 4 * GIB + 1 }),
    ];
    expect(names(preferred(all, bounds))).toEqual(['large', 'middle', 'reader', 'slow']);
    expect(judged(all, bounds).map(({ fit }) => fit)).toEqual([
      'FAST_ENOUGH',
      'FAST_ENOUGH',
      'RECOMMENDED',
      'TOO_SLOW',
      'TOO_LARGE',
    ]);
  });

  it('is the fastest where none answers in time', () => {
    const all = [
      candidate({ name: 'middle', parameters: 1.5e9, seconds: 80 }),
      { ...reader, seconds: 12 },
      candidate({ name: 'large', parameters: 7e9, seconds: 300 }),
    ];
    expect(names(preferred(all, bounds))).toEqual(['reader', 'middle', 'large']);
  });

  it('is none that only quotes and has no reader for it, while another can be had', () => {
    const half = candidate({ name: 'half', parameters: 5e8, seconds: 3 });
    expect(names(preferred([reader, half], bounds))).toEqual(['reader', 'half']);
    expect(judged([reader, half], bounds).map(({ fit }) => fit)).toEqual(['RECOMMENDED', 'QUOTES_ONLY']);
    expect(names(preferred([half], bounds))).toEqual(['half']);
  });

  it('is of equals one whose file is here', () => {
    const [a, b] = [false, true].map((here) => candidate({ name: String(here), parameters: 1.5e9, seconds: 5, here }));
    expect(names(preferred([a!, b!], bounds))).toEqual(['true', 'false']);
  });

  const any = fc.record({
    parameters: fc.integer({ min: 1e8, max: 1e10 }),
    seconds: fc.double({ min: 0.1, max: 100, noNaN: true }),
    memory: fc.integer({ min: 1, max: 8 * GIB }),
    here: fc.boolean(),
    reader: fc.boolean(),
  });
  const some = fc.array(any.map(candidate), { maxLength: 8 });

  it('is at most one, holds in memory, and no larger one that can answer in time is passed over for it', () => {
    fc.assert(
      fc.property(some, (all) => {
        const found = judged(all, bounds);
        expect(names(found)).toEqual(names(all));
        const best = found.filter(({ fit }) => fit === 'RECOMMENDED');
        const holds = found.filter(({ memoryBytes }) => memoryBytes <= bounds.memoryBytes / 2);
        expect(best.length).toBe(Math.min(1, holds.length));
        expect(found.filter(({ fit }) => fit === 'TOO_LARGE').length).toBe(all.length - holds.length);
        const inTime = holds.filter(
          ({ seconds, entry }) => seconds <= bounds.seconds && (entry.reader || entry.parameters >= 1e9),
        );
        if (inTime.length > 0)
          expect(best[0]!.entry.parameters).toBe(Math.max(...inTime.map(({ entry }) => entry.parameters)));
      }),
    );
  });

  it('is never a smaller one when there is more time and memory', () => {
    const pays = some.map((all) => all.filter(({ entry }) => entry.reader || entry.parameters >= 1e9));
    fc.assert(
      fc.property(pays, fc.double({ min: 1, max: 10, noNaN: true }), (all, times) => {
        const roomier = { seconds: bounds.seconds * times, memoryBytes: bounds.memoryBytes * times };
        const [before] = preferred(all, bounds);
        if (!before || before.seconds > bounds.seconds) return;
        expect(preferred(all, roomier)[0]!.entry.parameters).toBeGreaterThanOrEqual(before.entry.parameters);
      }),
    );
  });
});

describe('the catalogue', () => {
  it.each(generators)('says of $name what its shape comes to', (entry: GeneratorEntry) => {
    const { layers, width, vocabulary, layerWeights, contextBytes } = entry.shape;
    // What is left are one or two tables of a row a token, and some norms.
    const tables = (entry.parameters - layerWeights) / (width * vocabulary);
    expect(Math.abs(tables - Math.round(tables))).toBeLessThan(0.01);
    expect([1, 2]).toContain(Math.round(tables));
    // Keys and values of whole heads, in 16 bits.
    expect(contextBytes % (2 * 2 * layers * 64)).toBe(0);
    expect(contextBytes).toBeLessThanOrEqual(2 * 2 * layers * width);
    expect(memoryOf(entry)).toBeGreaterThan(servedFileBytes(entry));
    expect(existsSync(join(packageRoot(), 'readers', entry.name, 'reader.json'))).toBe(entry.reader);
  });
});
