export type Level = 'debug' | 'info' | 'warn' | 'error';

/** One JSON object a line on stderr, which the gateway puts into its own log. Never pass the text of prompts or documents. */
export function log(level: Level, message: string, fields: Record<string, unknown> = {}): void {
  process.stderr.write(`${JSON.stringify({ level, message, ...fields })}\n`);
}

/** What of an error may be logged: name, message and stack. */
export const errorFields = (error: unknown): Record<string, unknown> =>
  error instanceof Error ? { error: error.message, stack: error.stack } : { error: String(error) };
