import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GraftError } from '../../../src/kernel/errors.js';
import { errorFields, log } from '../../log.js';

/**
 * llama.cpp's own quantizer, `llama_model_quantize` of the library that node-llama-cpp ships: its JavaScript API has no way to it.
 * Native code that a damaged file may crash: call it in a throw-away process only, one job after the other.
 */
export interface NativeQuantizer {
  /**
   * Writes `source` in another type. The event loop goes on meanwhile.
   * @param onLine each message of the quantizer, one a tensor among them
   * @returns whether it succeeded; why not is in the messages
   */
  quantize(job: QuantizerJob, onLine: (line: string) => void): Promise<boolean>;
}

export interface QuantizerJob {
  source: string;
  target: string;
  /** llama.cpp's number of the type (`llama_ftype`). */
  fileType: number;
  threads: number;
  /** Only say how large the result would be; nothing is written. */
  dryRun: boolean;
}

/** `llama_model_quantize_params` of these releases of llama.cpp, which have no number for the layout of their structs. */
const KNOWN_RELEASES = ['v0.5.0'];
const PARAMETERS = {
  nthread: 'int32_t',
  ftype: 'int32_t',
  output_tensor_type: 'int32_t',
  token_embedding_type: 'int32_t',
  allow_requantize: 'bool',
  quantize_output_tensor: 'bool',
  only_copy: 'bool',
  pure: 'bool',
  keep_split: 'bool',
  dry_run: 'bool',
  imatrix: 'void *',
  kv_overrides: 'void *',
  tt_overrides: 'void *',
  prune_layers: 'void *',
  max_buf_size: 'size_t',
} as const;
/** What the library fills them with by default: a struct laid out otherwise reads back otherwise. */
const DEFAULTS = {
  nthread: 0,
  ftype: 7,
  allow_requantize: false,
  quantize_output_tensor: true,
  only_copy: false,
  pure: false,
  keep_split: false,
  dry_run: false,
  imatrix: null,
  kv_overrides: null,
  tt_overrides: null,
  prune_layers: null,
  max_buf_size: 8 * 1024 ** 3,
};

type Parameters = Record<keyof typeof PARAMETERS, number | boolean | null>;

/** @throws SETUP_FAILED when koffi or the library can't be loaded, or is a release whose structs are not known here */
export async function openNativeQuantizer(): Promise<NativeQuantizer> {
  const { folder, release } = installedLibrary();
  if (!KNOWN_RELEASES.includes(release))
    throw unusable(`The quantizer of llama.cpp ${release} is not known here; ${KNOWN_RELEASES.join(', ')} is.`);
  try {
    const { default: koffi } = await import('koffi');
    koffi.load(join(folder, 'libggml-base.so'), { global: true });
    const ggml = koffi.load(join(folder, `libggml.${release}.so`), { global: true });
    const llama = koffi.load(join(folder, `libllama.${release}.so`));
    const Parameters = koffi.struct(PARAMETERS);
    const Log = koffi.pointer(koffi.proto('void', ['int', 'str', 'void *']));
    const defaults = llama.func('llama_model_quantize_default_params', Parameters, []) as () => Parameters;
    const quantize = llama.func('llama_model_quantize', 'uint32_t', ['str', 'str', koffi.pointer(Parameters)]);
    requireKnownLayout(defaults());
    let listener: (line: string) => void = () => undefined;
    const callback = koffi.register(
      lines((line) => listener(line)),
      Log,
    );
    llama.func('llama_log_set', 'void', [Log, 'void *'])(callback, null);
    ggml.func('void ggml_backend_load_all_from_path(const char *folder)')(folder);
    return {
      quantize({ source, target, fileType, threads, dryRun }, onLine) {
        listener = onLine;
        const parameters: Parameters = {
          ...defaults(),
          ftype: fileType,
          nthread: threads,
          dry_run: dryRun,
          allow_requantize: true,
        };
        return new Promise<boolean>((resolve, reject) => {
          quantize.async(source, target, parameters, (error: Error | null, code: number) =>
            error === null ? resolve(code === 0) : reject(error),
          );
        });
      },
    };
  } catch (error) {
    if (error instanceof GraftError) throw error;
    log('error', 'the quantizer could not be loaded', errorFields(error));
    throw unusable('The quantizer could not be loaded.', error);
  }
}

/** The library without GPU: quantizing is the processor’s work. */
function installedLibrary(): { folder: string; release: string } {
  const platform = `${process.platform}-${process.arch}`;
  try {
    const program = fileURLToPath(import.meta.resolve(`@node-llama-cpp/${platform}`));
    const folder = join(dirname(program), '..', 'bins', platform);
    const metadata = JSON.parse(readFileSync(join(folder, '_nlcBuildMetadata.json'), 'utf8')) as {
      buildOptions: { llamaCpp: { release: string } };
    };
    return { folder, release: metadata.buildOptions.llamaCpp.release };
  } catch (error) {
    throw unusable(`There is no build of llama.cpp for ${platform} beside node-llama-cpp.`, error);
  }
}

function requireKnownLayout(parameters: Parameters): void {
  const differing = Object.entries(DEFAULTS).filter(([name, value]) => parameters[name as keyof Parameters] !== value);
  if (differing.length > 0)
    throw unusable(
      `The quantizer’s parameters are laid out in another way (${differing.map(([name]) => name).join()}).`,
    );
}

/** llama.cpp logs pieces of lines. */
function lines(onLine: (line: string) => void): (level: number, text: string) => void {
  let rest = '';
  return (_level, text) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) if (part.trim() !== '') onLine(part.trim());
  };
}

const unusable = (message: string, cause?: unknown): GraftError =>
  new GraftError('SETUP_FAILED', message, {
    hint: 'Install Graft’s packages as package-lock.json has them (`npm ci`), koffi among them.',
    cause,
  });
