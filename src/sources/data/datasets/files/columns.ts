import type { FieldDefinition } from './fields.js';
import type { FileShape } from './file-shape.js';
import type { DataFormat } from './formats.js';

/** The columns of a file by name (case and punctuation apart) with their sample values. */
export class Columns<Field extends string = string> {
  readonly #byName = new Map<string, string>();

  constructor(
    private readonly shape: FileShape,
    private readonly fields: Readonly<Record<Field, FieldDefinition>>,
  ) {
    for (const name of shape.columns) {
      const plain = name
        .trim()
        .toLowerCase()
        .replace(/[\s-]+/g, '_');
      if (!this.#byName.has(plain)) this.#byName.set(plain, name);
    }
  }

  get format(): DataFormat {
    return this.shape.format;
  }

  get names(): readonly string[] {
    return this.shape.columns;
  }

  /** The column with the likeliest name for a field, of those that are not taken and whose values fit. */
  find(
    field: Field,
    usedColumns: readonly string[] = [],
    fits: (values: unknown[], column: string) => boolean = () => true,
  ): string | undefined {
    for (const name of this.fields[field].names) {
      const column = this.#byName.get(name);
      if (column !== undefined && !usedColumns.includes(column) && fits(this.values(column), column)) return column;
    }
    return undefined;
  }

  /** A column of its own for each of the fields that have one. */
  pick(...fields: Field[]): Partial<Record<Field, string>> {
    const picked: Partial<Record<Field, string>> = {};
    for (const field of fields) {
      const column = this.find(field, Object.values(picked));
      if (column !== undefined) picked[field] = column;
    }
    return picked;
  }

  /** What stands in the column, without blanks. */
  values(column: string): unknown[] {
    return this.rows(column).map(([value]) => value);
  }

  /** Rows where `column` is not blank, cut to it and another column. */
  rows(column: string, otherColumn?: string): [value: unknown, other: unknown][] {
    const [index, otherIndex] = [column, otherColumn ?? column].map((name) => this.shape.columns.indexOf(name));
    return this.shape.sample
      .map((row): [unknown, unknown] => [row[index!], row[otherIndex!]])
      .filter(([value]) => value !== undefined && value !== null && value !== '');
  }
}
