import { PrismaPg } from '@prisma/adapter-pg';
import { ColumnTypeEnum, bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import * as bindings from '@prisma/schema-engine-wasm/schema_engine_bg';
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import pg from 'pg';

/*
 * Prisma's own schema engine, compiled to WebAssembly. The `prisma` command would download a binary for it. Used to write
 * migrations and to test that Graft and Prisma agree; the program itself never needs it.
 */

const NO_FILTER = { externalTables: [], externalEnums: [] };

/** The SQL that leads from the database as it is to what `schema.prisma` describes; empty when they agree. */
export async function differenceToSchema(databaseUrl: string, schemaFile: string): Promise<string> {
  const schema = { path: schemaFile, content: readFileSync(schemaFile, 'utf8') };
  const { stdout } = await withEngine(databaseUrl, schemaFile, (engine) =>
    engine.diff({
      from: { tag: 'schemaDatasource', files: [schema], configDir: dirname(schemaFile) },
      to: { tag: 'schemaDatamodel', files: [schema] },
      script: true,
      exitCode: null,
      filters: NO_FILTER,
    }),
  );
  const sql = stdout ?? '';
  return /^\s*(-- This is an empty migration\.)?\s*$/.test(sql) ? '' : sql;
}

/** What `prisma migrate deploy` does; returns the names of the migrations it applied. */
export async function deployWithPrisma(databaseUrl: string, schemaFile: string): Promise<string[]> {
  const baseDir = join(dirname(schemaFile), 'migrations');
  const names = readdirSync(baseDir, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const read = (path: string) => readFileSync(join(baseDir, path), 'utf8');
  const { appliedMigrationNames } = await withEngine(databaseUrl, schemaFile, (engine) =>
    engine.applyMigrations({
      migrationsList: {
        baseDir,
        lockfile: { path: 'migration_lock.toml', content: read('migration_lock.toml') },
        shadowDbInitScript: '',
        migrationDirectories: names.map(({ name }) => ({
          path: name,
          migrationFile: { path: 'migration.sql', content: { tag: 'ok', value: read(join(name, 'migration.sql')) } },
        })),
      },
      filters: NO_FILTER,
    }),
  );
  return appliedMigrationNames;
}

async function withEngine<T>(
  databaseUrl: string,
  schemaFile: string,
  use: (engine: bindings.SchemaEngine) => Promise<T>,
): Promise<T> {
  load();
  const pool = new pg.Pool({ connectionString: databaseUrl });
  const engine = await bindings.SchemaEngine.new(
    { datamodels: [[schemaFile, readFileSync(schemaFile, 'utf8')]] },
    () => undefined,
    bindMigrationAwareSqlAdapterFactory(new CatalogAdapterFactory(pool)),
  );
  try {
    return await use(engine);
  } finally {
    engine.free();
    await pool.end();
  }
}

/**
 * The adapter of the program, taught one thing: PostgreSQL's catalog has columns of the one-byte type "char", which the adapter
 * refuses and the engine wants as characters.
 */
class CatalogAdapterFactory extends PrismaPg {
  constructor(private readonly pool: pg.Pool) {
    super(pool);
  }

  override async connect() {
    const adapter = await super.connect();
    const { pool } = this;
    const queryRaw = adapter.queryRaw.bind(adapter);
    adapter.queryRaw = async (query) => {
      const { fields } = await pool
        .query({ text: `${withoutEnd(query.sql)} LIMIT 0`, values: query.args })
        .catch(() => ({ fields: [] }));
      const characters = fields.filter((field) => field.dataTypeID === CHAR).map((field) => field.name);
      if (characters.length === 0) return queryRaw(query);
      const wrapped = `SELECT ${fields.map(({ name }) => `"${name}"${characters.includes(name) ? '::text' : ''}`).join(', ')}`;
      const result = await queryRaw({ ...query, sql: `${wrapped} FROM (${withoutEnd(query.sql)}) AS catalog` });
      for (const name of characters) result.columnTypes[result.columnNames.indexOf(name)] = ColumnTypeEnum.Character;
      return result;
    };
    return adapter;
  }
}

const withoutEnd = (sql: string) => sql.replace(/;\s*$/, '');

/** The object id of PostgreSQL's type "char". */
const CHAR: number = pg.types.builtins.CHAR;

let loaded = false;

/** Node 20 can't import a .wasm module, which the package's entry does; so it is linked by hand. */
function load(): void {
  if (loaded) return;
  const entry = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const module = new WebAssembly.Module(readFileSync(join(dirname(entry), 'schema_engine_bg.wasm')));
  const { exports } = new WebAssembly.Instance(module, {
    './schema_engine_bg.js': withIdleTimers(bindings),
  });
  const { __wbg_set_wasm: link } = bindings as unknown as { __wbg_set_wasm(wasm: WebAssembly.Exports): void };
  link(exports);
  (exports.__wbindgen_start as () => void)();
  loaded = true;
}

/** The engine never clears the timers that bound its own waiting; as they come they keep a process alive that is long done with it. */
const withIdleTimers = (imports: WebAssembly.ModuleImports): WebAssembly.ModuleImports =>
  Object.fromEntries(
    Object.entries(imports).map(([name, value]) => [
      name,
      name.startsWith('__wbg_setTimeout_') ? (call: () => void, ms: number) => setTimeout(call, ms).unref() : value,
    ]),
  );
