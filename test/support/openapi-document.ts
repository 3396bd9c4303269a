import { Ajv2020 } from 'ajv/dist/2020.js';

/** What is read of a document of OpenAPI. */
interface Document {
  openapi: string;
  info: { title: string; version: string };
  servers: { url: string }[];
  paths: Record<string, Record<string, { responses: Record<string, { $ref?: string }> }>>;
}

/** A document of OpenAPI, to hold bodies against. */
export class OpenApiDocument {
  readonly #ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });

  constructor(readonly json: Document) {
    this.#ajv.addSchema(json, 'document');
  }

  static async of(gateway: string): Promise<OpenApiDocument> {
    const response = await fetch(`${gateway}/v1/openapi.json`);
    return new OpenApiDocument((await response.json()) as Document);
  }

  /** `get /files/{id}`, of all operations. */
  operations(): string[] {
    return Object.entries(this.json.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
  }

  /** What is wrong with a JSON body that was answered; nothing where it is as described. */
  faultsOfAnswer(operation: string, status: number, body: unknown): string[] {
    const [method, path] = operation.split(' ') as [string, string];
    const described = this.json.paths[path]?.[method]?.responses[status];
    if (!described) return [`${operation} has no status ${status}`];
    const place = described.$ref ?? `#${pointer('paths', path, method, 'responses', `${status}`)}`;
    return this.#faults(`${place}${pointer('content', 'application/json', 'schema')}`, body);
  }

  /** The same of a body that is sent. */
  faultsOfRequest(operation: string, body: unknown): string[] {
    const [method, path] = operation.split(' ') as [string, string];
    const place = pointer('paths', path, method, 'requestBody', 'content', 'application/json', 'schema');
    return this.#faults(`#${place}`, body);
  }

  #faults(place: string, body: unknown): string[] {
    this.#ajv.validate({ $ref: `document${place}` }, body);
    return (this.#ajv.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  }
}

/** A JSON pointer, as it stands in an address. */
const pointer = (...names: string[]): string =>
  names.map((name) => `/${encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('');
