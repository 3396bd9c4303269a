import { ERROR_CODES } from '../../kernel/error-codes.js';

/** `schema/errors.md`: every code with its meaning, whether to retry, and what to do. */
export function errorsPage(): string {
  const rows = Object.entries(ERROR_CODES)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(
      ([code, { meaning, retry, status, whatToDo }]) =>
        `| \`${code}\` | ${meaning} | ${retry} | ${status} | ${whatToDo} |`,
    );
  return `# Error codes

Every error of the API carries one of these codes in \`extensions.code\`, over HTTP, WebSocket and SSE alike, and \`POST /files\`
answers with the same. Beside it stand \`retry\`, \`requestId\` (quote it when you report an error) and, where known, \`field\`
(the path of the input at fault) and \`hint\`. The list is closed: a code that is not here is a bug. A refusal to answer
(\`abstained\`) is data, not an error.

\`retry\` is \`no\` (the same request fails again), \`later\` (it may pass when the cause is gone) or \`safe\` (send it again at once). \`status\`
is that of an HTTP response which is nothing but this error, as at \`/v1\` and \`POST /files\`.

Written by \`npm run schema\` from \`src/kernel/error-codes.ts\`.

| code | meaning | retry | status | what to do |
| --- | --- | --- | --- | --- |
${rows.join('\n')}
`;
}
