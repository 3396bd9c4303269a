import { GraftError } from '../../kernel/errors.js';
import { isUuid, newId, type WorkspaceId } from '../../kernel/ids.js';
import { nameCursor, toPage, type Page, type PageRequest } from '../../kernel/pagination.js';
import { asSystem, Prisma, type Database, type Transaction } from '../../platform/database/index.js';
import type { ChatForm, ModelDescription } from '../../worker-protocol/index.js';
import { checkSameModel, storedChat, type ModelRow, type VariantRow } from './model.js';
import { storedWording, type MeasuredWording } from './wording.js';
import { storedMeasurement, type VariantMeasurement } from './quantization/quantization.js';

export type VariantWithModel = VariantRow & { model: ModelRow };

export interface NewVariant {
  name: string;
  /** Whether a user chose the name. */
  named: boolean;
  /** Shown to users: where the file came from. */
  source: string;
  licence: string | null;
  sha256: string;
  bytes: number;
  location: string;
  description: ModelDescription;
  /** For a variant that was made here: from which one, and how it differs. */
  quantized?: { sourceId: string; measurement: VariantMeasurement };
}

/** All queries of `base_model` and `model_variant`. */
export class ModelStore {
  constructor(private readonly database: Database) {}

  /** By name; the cursor is `encodeCursor([model.name])`. */
  async models(workspaceId: WorkspaceId, page: PageRequest): Promise<Page<ModelRow>> {
    const cursor = page.after === null ? undefined : nameCursor(page.after);
    const rows = await this.database.prisma.baseModel.findMany({
      where: { workspaceId, ...(cursor === undefined ? {} : { name: { gt: cursor } }) },
      orderBy: { name: 'asc' },
      take: page.first + 1,
    });
    return toPage(rows, page.first);
  }

  async modelByName(workspaceId: WorkspaceId, name: string): Promise<ModelRow | null> {
    // No name holds NUL, and PostgreSQL refuses it as a parameter.
    if (name.includes('\0')) return null;
    return this.database.prisma.baseModel.findFirst({ where: { workspaceId, name } });
  }

  async modelsById(workspaceId: WorkspaceId, ids: readonly string[]): Promise<ModelRow[]> {
    return this.database.prisma.baseModel.findMany({ where: { workspaceId, id: { in: [...ids] } } });
  }

  /** Of all these models, oldest first. */
  async variantsOf(workspaceId: WorkspaceId, modelIds: readonly string[]): Promise<VariantRow[]> {
    return this.database.prisma.modelVariant.findMany({
      where: { workspaceId, modelId: { in: [...modelIds] } },
      orderBy: { id: 'asc' },
    });
  }

  async variantsById(workspaceId: WorkspaceId, ids: readonly string[]): Promise<VariantWithModel[]> {
    return this.database.prisma.modelVariant.findMany({
      where: { workspaceId, id: { in: ids.filter(isUuid) } },
      include: { model: true },
    });
  }

  async variantByDigest(workspaceId: WorkspaceId, sha256: string): Promise<VariantWithModel | null> {
    return this.database.prisma.modelVariant.findFirst({
      where: { workspaceId, sha256 },
      include: { model: true },
    });
  }

  /** Whether any workspace has a variant of this content, or in this place. */
  async isUsed({ sha256, location }: Pick<NewVariant, 'sha256' | 'location'>): Promise<boolean> {
    const where = { OR: [{ sha256 }, { location }] };
    return (await asSystem(() => this.database.prisma.modelVariant.count({ where }))) > 0;
  }

  /** Of all workspaces: those of which nobody has found out yet how they read a conversation. */
  async variantsWithoutChat(): Promise<VariantRow[]> {
    return this.database.prisma.modelVariant.findMany({
      where: { chat: { equals: Prisma.AnyNull } },
      orderBy: { id: 'asc' },
    });
  }

  async setChat({ id, workspaceId }: VariantRow, chat: ChatForm): Promise<void> {
    await this.database.prisma.modelVariant.updateMany({
      where: { id, workspaceId },
      data: { chat: storedChat.encode(chat) ?? undefined },
    });
  }

  /** What was found of each model's words, in the order of the ids; null where nothing was. */
  async wordingsOf(workspaceId: WorkspaceId, modelIds: readonly string[]): Promise<(MeasuredWording | null)[]> {
    const rows = await this.database.prisma.baseModel.findMany({
      where: { workspaceId, id: { in: [...modelIds] } },
      select: { id: true, wording: true },
    });
    const wordingById = new Map(rows.map(({ id, wording }) => [id, wording]));
    return modelIds.map((id) => {
      const wording = wordingById.get(id) ?? null;
      return wording === null ? null : storedWording.decode(wording);
    });
  }

  async setWording(
    workspaceId: WorkspaceId,
    modelId: string,
    wording: MeasuredWording,
    tx: Transaction,
  ): Promise<void> {
    await tx.baseModel.updateMany({
      where: { workspaceId, id: modelId },
      data: { wording: storedWording.encode(wording) ?? undefined },
    });
  }

  /** Why uploads with these contents must stay, by digest. */
  async uploadsInUse(workspaceId: WorkspaceId, digests: readonly string[]): Promise<Map<string, string>> {
    const rows = await this.database.prisma.modelVariant.findMany({
      where: { workspaceId, sha256: { in: [...digests] }, location: { startsWith: 'artifact:' } },
      include: { model: true },
    });
    return new Map(rows.map(({ sha256, model }) => [sha256, `The model ${model.name} was registered from it.`]));
  }

  /**
   * Adds a variant, and its model if the name is new. The same file is never registered twice: the earlier variant is returned.
   * @throws ALREADY_EXISTS when the name belongs to another model, or the file is registered under another name than the one asked for
   */
  async add(workspaceId: WorkspaceId, variant: NewVariant, tx: Transaction): Promise<VariantRow> {
    // Two registrations of one file, or under one name, must not both find nothing.
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`models:${workspaceId}`}, 0))`;
    const { sha256, name, description } = variant;
    const knownVariant = await tx.modelVariant.findUnique({
      where: { workspaceId_sha256: { workspaceId, sha256 } },
      include: { model: true },
    });
    if (knownVariant) return requireName(knownVariant, variant.named ? name : null);
    const model =
      (await tx.baseModel.findUnique({ where: { workspaceId_name: { workspaceId, name } } })) ??
      (await tx.baseModel.create({
        data: {
          id: newId(),
          workspaceId,
          name,
          architecture: description.architecture,
          parameters: description.parameters,
          licence: variant.licence,
          source: variant.source,
        },
      }));
    checkSameModel(model, description);
    return tx.modelVariant.create({
      data: {
        id: newId(),
        workspaceId,
        modelId: model.id,
        quantization: description.quantization,
        sha256,
        bytes: variant.bytes,
        contextLength: description.contextLength,
        vocabulary: description.vocabulary,
        chatTemplate: description.chatTemplate,
        bosToken: description.bosToken,
        eosToken: description.eosToken,
        chat: storedChat.encode(description.chat) ?? undefined,
        location: variant.location,
        ...(variant.quantized && {
          sourceId: variant.quantized.sourceId,
          measurement: storedMeasurement.encode(variant.quantized.measurement) ?? undefined,
        }),
      },
    });
  }

  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.database.prisma.$transaction(work);
  }
}

/** @throws ALREADY_EXISTS when the file is registered under another name than the one asked for; null: any */
export function requireName<V extends VariantWithModel>(variant: V, requestedName: string | null): V {
  if (requestedName === null || variant.model.name === requestedName) return variant;
  throw new GraftError('ALREADY_EXISTS', `This file is registered already, as ${variant.model.name}.`, {
    field: 'input.name',
  });
}
