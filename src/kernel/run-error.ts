import { z } from 'zod';
import { ERROR_CODES, type ErrorCode } from './error-codes.js';
import { record } from './record.js';

/** Why a run failed, or one of the things that it works on. */
export const runError = record('RunError', 'Why a run failed.', {
  code: z.enum(Object.keys(ERROR_CODES) as ErrorCode[]).describe('A code of the closed list in `schema/errors.md`.'),
  message: z.string().describe('What happened, then what to do about it where there is something to do.'),
});
