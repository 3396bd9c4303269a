import { readFileSync } from 'node:fs';

/** Instructions that numerical libraries choose their kernels by, on x64 and arm64. */
const DECISIVE =
  /^(avx|avx2|fma|f16c|avx_vnni|avx512f|avx512_vnni|avx512_bf16|avx512_fp16|amx_tile|amx_int8|amx_bf16|asimd|asimdhp|asimddp|i8mm|bf16|sve|sve2)$/;

/** Those that this processor has, in order; none where the system doesn't tell. */
export function processorFlags(): string[] {
  try {
    const line = /^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'latin1'))?.[1] ?? '';
    return [...new Set(line.trim().split(/\s+/))].filter((flag) => DECISIVE.test(flag)).sort();
  } catch {
    return [];
  }
}
