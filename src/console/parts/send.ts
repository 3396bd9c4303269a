import { useState } from 'react';
import { useMutation, type CombinedError, type OperationContext, type TypedDocumentNode } from 'urql';

/** What a mutation is doing, for whoever shows it. */
export interface Sending {
  fetching: boolean;
  error?: CombinedError | undefined;
}

/**
 * A mutation by its input, once at a time.
 * @param done gets what came back where it went well
 */
export function useSend<Data, Input>(
  document: TypedDocumentNode<Data, { input: Input }>,
  done?: (data: Data) => void,
): Sending & {
  data: Data | undefined;
  send: (input: Input, context?: Partial<OperationContext>) => Promise<Data | null>;
} {
  const [{ data, error, fetching }, execute] = useMutation(document);
  const send = async (input: Input, context?: Partial<OperationContext>): Promise<Data | null> => {
    if (fetching) return null;
    const result = await execute({ input }, context);
    if (!result.data) return null;
    done?.(result.data);
    return result.data;
  };
  return { data, error, fetching, send };
}

/** One key for one form: what it sends twice is done once. */
export const useOneKey = (): string => useState(() => crypto.randomUUID())[0];
