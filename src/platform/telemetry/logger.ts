import pino, { type DestinationStream, type Logger as PinoLogger } from 'pino';
import pretty from 'pino-pretty';
import { loggedError, REDACTED_PATHS } from './redaction.js';

export type Logger = PinoLogger;

interface LoggerOptions {
  level?: string;
  /** Where lines go; stderr by default, so that stdout stays for what a person or a script reads. */
  destination?: DestinationStream;
}

/** The one logger: JSON lines, or coloured text when stderr is a terminal. Parts take `log.child({ part: 'worker' })`. */
export function createLogger({ level = 'info', destination }: LoggerOptions = {}): Logger {
  const readable = destination === undefined && process.stderr.isTTY;
  return pino(
    {
      level,
      base: undefined,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: REDACTED_PATHS, censor: '[redacted]' },
      serializers: { err: (error: unknown) => loggedError(error) },
    },
    destination ??
      (readable
        ? pretty({
            destination: 2,
            sync: true,
            colorize: true,
            singleLine: true,
            translateTime: 'SYS:HH:MM:ss',
            // Lists of a screen’s length are for machines to read.
            ignore: 'pid,hostname,part,workerPid,device,measurements,migrations',
          })
        : pino.destination({ dest: 2, sync: true })),
  );
}

/** A logger that says nothing, for tests and for scripts. */
export const silentLogger = (): Logger => pino({ level: 'silent' });
